"""Panels with our defaults: every one has a title, a description, a unit and a place on the grid."""

from collections.abc import Mapping, Sequence
from typing import Final

from grafana_foundation_sdk.builders import bargauge, common, stat, statetimeline, table, text, timeseries
from grafana_foundation_sdk.builders import dashboard as build
from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.cog.variants import Dataquery
from grafana_foundation_sdk.models import common as looks
from grafana_foundation_sdk.models import dashboard as model

from dashboards.grafana.query import CLICKHOUSE, Query

PanelBuilder = Builder[model.Panel]
Target = Builder[Dataquery]
Steps = Sequence[tuple[float | None, str]]
Names = Mapping[str, str]
"""What people read for each column of the query."""

CALM: Final[Steps] = ((None, "green"),)
EMOTION_COLOURS: Final[Mapping[str, str]] = {
    "joy": "#F2CC0C",
    "sadness": "#5794F2",
    "anger": "#E02F44",
    "fear": "#8F3BB8",
    "surprise": "#FF9830",
    "disgust": "#56A64B",
    "neutral": "#8E8E8E",
}


def steps(levels: Steps) -> build.ThresholdsConfig:
    """Absolute thresholds; the first step has no lower end."""
    return (
        build.ThresholdsConfig()
        .mode(model.ThresholdsMode.ABSOLUTE)
        .steps([model.Threshold(value=value, color=colour) for value, colour in levels])
    )


def lines(
    title: str,
    description: str,
    *targets: Target,
    unit: str = "short",
    width: int = 12,
    names: Names | None = None,
    colours: Names | None = None,
    series: str = "",
    stacked: bool = False,
    limits: tuple[float, float] | None = None,
    levels: Steps = CALM,
    source: model.DataSourceRef = CLICKHOUSE,
) -> timeseries.Panel:
    """Values over time; `series` is the label that names each line of a query in long form."""
    panel = (
        timeseries.Panel()
        .title(title)
        .description(description)
        .targets(list(targets))
        .datasource(source)
        .unit(unit)
        .span(width)
        .height(8)
        .line_width(1)
        .fill_opacity(55 if stacked else 8)
        .show_points(looks.VisibilityMode.NEVER)
        .span_nulls(False)
        .thresholds(steps(levels))
        .tooltip(
            common.VizTooltipOptions().mode(looks.TooltipDisplayMode.MULTI).sort(looks.SortOrder.DESCENDING)
        )
        .legend(
            common.VizLegendOptions()
            .display_mode(looks.LegendDisplayMode.LIST)
            .placement(looks.LegendPlacement.BOTTOM)
            .show_legend(True)
        )
    )
    if stacked:
        panel.stacking(common.StackingConfig().mode(looks.StackingMode.NORMAL))
    if len(levels) > 1:
        panel.thresholds_style(common.GraphThresholdsStyleConfig().mode(looks.GraphTresholdsStyleMode.DASHED))
    if limits is not None:
        panel.min(limits[0]).max(limits[1])
    if series:
        panel.display_name(f"${{__field.labels.{series}}}")
    for column, shown in (names or {}).items():
        properties = [model.DynamicConfigValue("displayName", shown)]
        if colour := (colours or {}).get(column):
            properties.append(model.DynamicConfigValue("color", {"mode": "fixed", "fixedColor": colour}))
        panel.override_by_name(column, properties)
    return panel


def band(
    title: str,
    description: str,
    target: Target,
    *,
    names: Names,
    width: int = 12,
    limits: tuple[float, float],
    colour: str = "blue",
    levels: Steps = CALM,
) -> timeseries.Panel:
    """A mean inside its uncertainty band; the query has `low`, `mean`, `high` and perhaps `usual`."""
    panel = lines(
        title, description, target, unit="percentunit", width=width, limits=limits, levels=levels
    ).fill_opacity(0)
    shade = {"mode": "fixed", "fixedColor": colour}
    quiet = model.DynamicConfigValue("custom.lineWidth", 0)
    hidden = model.DynamicConfigValue("custom.hideFrom", {"legend": True, "tooltip": False, "viz": False})
    for column, extra in {
        "low": [quiet, hidden],
        "high": [
            quiet,
            hidden,
            model.DynamicConfigValue("custom.fillBelowTo", names["low"]),
            model.DynamicConfigValue("custom.fillOpacity", 18),
        ],
        "mean": [model.DynamicConfigValue("custom.lineWidth", 2)],
    }.items():
        shown = model.DynamicConfigValue("displayName", names[column])
        panel.override_by_name(column, [shown, model.DynamicConfigValue("color", shade), *extra])
    if "usual" in names:
        dashed = model.DynamicConfigValue("custom.lineStyle", {"fill": "dash", "dash": [6, 6]})
        grey = model.DynamicConfigValue("color", {"mode": "fixed", "fixedColor": "#8E8E8E"})
        shown = model.DynamicConfigValue("displayName", names["usual"])
        panel.override_by_name("usual", [shown, grey, dashed])
    return panel


def figure(
    title: str,
    description: str,
    target: Target,
    *,
    unit: str = "short",
    width: int = 4,
    levels: Steps = CALM,
    decimals: int = 0,
    nothing: str = "–",
    source: model.DataSourceRef = CLICKHOUSE,
) -> stat.Panel:
    """One number."""
    return (
        stat.Panel()
        .title(title)
        .description(description)
        .with_target(target)
        .datasource(source)
        .unit(unit)
        .decimals(decimals)
        .span(width)
        .height(4)
        .no_value(nothing)
        .thresholds(steps(levels))
        .graph_mode(looks.BigValueGraphMode.NONE)
        .color_mode(looks.BigValueColorMode.VALUE)
        .reduce_options(common.ReduceDataOptions().calcs(["lastNotNull"]).values(False))
    )


def rows(
    title: str,
    description: str,
    target: Target,
    *,
    names: Names,
    units: Mapping[str, str] | None = None,
    links: Mapping[str, Sequence[tuple[str, str]]] | None = None,
    levels: Mapping[str, Steps] | None = None,
    width: int = 24,
    height: int = 9,
) -> table.Panel:
    """A table; `links` and `levels` (coloured cells) are by column."""
    panel = (
        table.Panel()
        .title(title)
        .description(description)
        .with_target(target)
        .datasource(CLICKHOUSE)
        .span(width)
        .height(height)
        .unit("short")
        .cell_height(looks.TableCellHeight.SM)
        .thresholds(steps(CALM))
    )
    for column, shown in names.items():
        properties = [model.DynamicConfigValue("displayName", shown)]
        if unit := (units or {}).get(column):
            properties.append(model.DynamicConfigValue("unit", unit))
        if column in (links or {}):
            urls = [{"title": name, "url": url} for name, url in (links or {})[column]]
            properties.append(model.DynamicConfigValue("links", urls))
        if column in (levels or {}):
            properties.append(model.DynamicConfigValue("thresholds", steps((levels or {})[column]).build()))
            properties.append(model.DynamicConfigValue("custom.cellOptions", {"type": "color-text"}))
        panel.override_by_name(column, properties)
    return panel


def bars(
    title: str, description: str, target: Target, *, unit: str = "short", width: int = 8, height: int = 8
) -> bargauge.Panel:
    """One bar a row: a column of names and one of numbers."""
    return (
        bargauge.Panel()
        .title(title)
        .description(description)
        .with_target(target)
        .datasource(CLICKHOUSE)
        .unit(unit)
        .span(width)
        .height(height)
        .min(0)
        .thresholds(steps(((None, "blue"),)))
        .display_mode(looks.BarGaugeDisplayMode.BASIC)
        .orientation(looks.VizOrientation.HORIZONTAL)
        .reduce_options(common.ReduceDataOptions().calcs(["lastNotNull"]).values(True).limit(15))
    )


def states(
    title: str, description: str, target: Target, *, meanings: Mapping[str, tuple[str, str]], series: str
) -> statetimeline.Panel:
    """States over time, one row a series; `meanings` gives text and colour of each value."""
    options = {
        value: model.ValueMappingResult(text=shown, color=colour, index=number)
        for number, (value, (shown, colour)) in enumerate(meanings.items())
    }
    return (
        statetimeline.Panel()
        .title(title)
        .description(description)
        .with_target(target)
        .datasource(CLICKHOUSE)
        .unit("short")
        .span(24)
        .height(8)
        .mappings([model.ValueMap(options=options)])
        .thresholds(steps(CALM))
        .show_value(looks.VisibilityMode.NEVER)
        .display_name(f"${{__field.labels.{series}}}")
        .merge_values(True)
        .line_width(0)
        .fill_opacity(70)
    )


def note(title: str, description: str, content: str) -> text.Panel:
    """A text for the reader."""
    return text.Panel().title(title).description(description).content(content).span(24).height(3)


def over_time(sql: str, ref_id: str = "A") -> Query:
    """A query whose first column is a time."""
    return Query(sql, "timeseries", ref_id)


def listed(sql: str, ref_id: str = "A") -> Query:
    """A query for tables, figures and bars."""
    return Query(sql, "table", ref_id)
