// REST calls. All are same-origin with the session's cookie.

import { state } from "./state.js";

/** A failed call: `kind` is denied (no valid token), network (no answer) or http (an error status). */
export class ApiError extends Error {
  constructor(kind, status, detail) {
    super(detail || `${kind} ${status}`);
    this.kind = kind;
    this.status = status;
  }
}

const get = (path, params = {}, signal = undefined) => call("GET", path, params, { signal });

async function call(method, path, params, { signal, body } = {}) {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(params)) {
    if (value !== null && value !== undefined && value !== "") query.set(name, String(value));
  }
  const text = query.toString();
  let response;
  try {
    response = await fetch(`/api/v1/${path}${text ? `?${text}` : ""}`, {
      method,
      signal,
      body: body && JSON.stringify(body),
      credentials: "same-origin",
      headers: { Accept: "application/json", ...(body ? { "Content-Type": "application/json" } : {}) },
    });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new ApiError("network", 0, error.message);
  }
  if (response.status === 401 || response.status === 403) throw new ApiError("denied", response.status, "");
  if (!response.ok) throw new ApiError("http", response.status, await detailOf(response));
  try {
    return await response.json();
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new ApiError("network", 0, error.message); // cut off on the way
  }
}

async function detailOf(response) {
  try {
    const body = await response.json();
    return typeof body.detail === "string" ? body.detail : `HTTP ${response.status}`;
  } catch {
    return `HTTP ${response.status}`;
  }
}

const inWorkspace = (name) => `${encodeURIComponent(state.workspace)}/${name}`;

export const fetchStreams = (signal) => get(inWorkspace("streams"), {}, signal);
export const fetchSources = (signal) => get(inWorkspace("sources"), {}, signal);
export const fetchWindows = (params, signal) => get(inWorkspace("windows"), params, signal);
export const fetchActivity = (params, signal) => get(inWorkspace("activity"), params, signal);
export const fetchMessages = (params, signal) => get(inWorkspace("messages"), params, signal);
export const fetchAlerts = (params, signal) => get(inWorkspace("alerts"), params, signal);
export const fetchEvents = (params, signal) => get(inWorkspace("events"), params, signal);
export const fetchPlaybook = (kind, params) => get(inWorkspace(`playbooks/${encodeURIComponent(kind)}`), params);
const marksOf = (alertId) => inWorkspace(`alerts/${encodeURIComponent(alertId)}/marks`);
export const fetchMarks = (alertId) => get(marksOf(alertId));
export const postMark = (alertId, mark) => call("POST", marksOf(alertId), {}, { body: mark });
export const fetchHealth = (signal) => get("health", {}, signal);

/** Address of the live feed. */
export function liveUrl() {
  const scheme = location.protocol === "https:" ? "wss" : "ws";
  return `${scheme}://${location.host}/api/v1/${inWorkspace("live")}`;
}
