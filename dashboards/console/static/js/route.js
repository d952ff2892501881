// The address says what is shown: #/workspace/stream, so a link opens the same stream.

export function readRoute() {
  const [workspace, stream] = location.hash.replace(/^#\/?/, "").split("/").map(decode);
  return { workspace: workspace || "default", stream: stream || null };
}

function decode(part) {
  try {
    return decodeURIComponent(part);
  } catch {
    return "";
  }
}

export function writeRoute({ workspace, stream }) {
  const hash = `#/${encodeURIComponent(workspace)}${stream ? `/${encodeURIComponent(stream)}` : ""}`;
  if (location.hash !== hash) history.replaceState(null, "", hash);
}
