// Asks the interface as Grafana's data source does: clickhouse-go over HTTP with gzip, through database/sql.
// Usage: main ADDRESS PASSWORD PATH; prints one line a check, exits with 1 at the first that fails.
package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
)

func open(address, password, path string) *sql.DB {
	return clickhouse.OpenDB(&clickhouse.Options{
		Addr:        []string{address},
		Auth:        clickhouse.Auth{Database: "pulse", Username: "grafana", Password: password},
		Protocol:    clickhouse.HTTP,
		HttpUrlPath: path,
		Compression: &clickhouse.Compression{Method: clickhouse.CompressionGZIP},
		Settings:    clickhouse.Settings{"max_execution_time": 60},
		DialTimeout: 5 * time.Second,
	})
}

func must(what string, err error) {
	if err != nil {
		fmt.Println("FAILED", what, err)
		os.Exit(1)
	}
	fmt.Println("ok", what)
}

func main() {
	ctx := context.Background()
	db := open(os.Args[1], os.Args[2], os.Args[3])
	must("ping", db.PingContext(ctx))

	var version string
	must("version", db.QueryRow("SELECT version()").Scan(&version))

	rows, err := db.Query(`SELECT window_start AS time, channel, sentiment, messages, emotions, basic_sum,
		CAST(NULL, 'Nullable(Float64)') AS nothing, toLowCardinality('low') AS low, (1, 'x') AS pair
		FROM windows WHERE size_ms = 10000 ORDER BY time`)
	must("windows", err)
	columns, err := rows.Columns()
	must("columns", err)
	count := 0
	for rows.Next() {
		values := make([]any, len(columns))
		for i := range values {
			values[i] = new(any)
		}
		if err := rows.Scan(values...); err != nil {
			must("scan", err)
		}
		if _, fine := (*values[0].(*any)).(time.Time); !fine {
			must("time", fmt.Errorf("%T", *values[0].(*any)))
		}
		count++
	}
	must("rows", rows.Err())
	fmt.Println("rows", count, "columns", len(columns))

	var many, sum uint64
	must("blocks", db.QueryRow("SELECT count(), sum(number) FROM numbers(200000)").Scan(&many, &sum))
	blocks, err := db.Query("SELECT number, toString(number) FROM numbers(200000)")
	must("many blocks", err)
	read := 0
	for blocks.Next() {
		read++
	}
	must("many rows", blocks.Err())
	fmt.Println("read", read)

	var bound string
	must("parameter", db.QueryRow("SELECT {text:String}", clickhouse.Named("text", "it's\ta \\ tab")).Scan(&bound))
	if bound != "it's\ta \\ tab" {
		must("bound text", errors.New(bound))
	}

	none, err := db.Query("SELECT 1 AS one WHERE 0")
	must("no rows", err)
	names, _ := none.Columns()
	fmt.Println("columns of no rows", names)

	var exception *clickhouse.Exception
	_, err = db.Query("SELECT nothing_like_this FROM windows")
	if !errors.As(err, &exception) || exception.Code != 47 {
		must("exception", fmt.Errorf("not code 47: %v", err))
	}
	_, err = db.Exec("CREATE TABLE t (a UInt8) ENGINE = Memory")
	if !errors.As(err, &exception) || exception.Code != 164 {
		must("refusal", fmt.Errorf("not code 164: %v", err))
	}
	err = open(os.Args[1], "wrong", os.Args[3]).PingContext(ctx)
	if !errors.As(err, &exception) || exception.Code != 516 {
		must("authentication", fmt.Errorf("not code 516: %v", err))
	}
	fmt.Println("done")
}
