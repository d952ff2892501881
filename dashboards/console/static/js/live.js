// The live feed: one WebSocket, reconnected with exponential backoff and jitter.

const FIRST_DELAY_MS = 500;
const MAX_DELAY_MS = 15_000;
/** A feed that says nothing for this long is looked at: the server may hang behind an open connection. */
const SILENCE_MS = 10_000;

export class LiveFeed {
  /**
   * @param {() => string} url address, asked anew for each attempt
   * @param {{onFrame: Function, onState: Function, onOpen: Function, onSilence: Function}} listener
   *   `onOpen(again)` after each connection, `again` when it is not the first: what was missed must be fetched.
   *   `onSilence()` resolves to true if the server still answers.
   */
  constructor(url, listener) {
    this.url = url;
    this.listener = listener;
    this.attempt = 0;
    this.opened = false;
    this.socket = null;
    this.timer = 0;
    this.lastFrameAt = 0;
    setInterval(() => this.#watch(), 2000);
    addEventListener("online", () => this.retryNow());
    document.addEventListener("visibilitychange", () => {
      if (!document.hidden) this.retryNow();
    });
  }

  connect() {
    clearTimeout(this.timer);
    const socket = new WebSocket(this.url());
    this.socket = socket;
    socket.onopen = () => {
      if (this.socket !== socket) return;
      const again = this.opened;
      this.attempt = 0;
      this.opened = true;
      this.lastFrameAt = performance.now();
      this.listener.onState("live", 0);
      this.listener.onOpen(again);
    };
    socket.onmessage = (event) => {
      if (this.socket !== socket) return;
      this.lastFrameAt = performance.now();
      this.listener.onState("live", 0);
      this.listener.onFrame(JSON.parse(event.data));
    };
    socket.onclose = () => {
      if (this.socket === socket) this.#reconnect();
    };
  }

  /** Skips the rest of the wait, if one is running. */
  retryNow() {
    if (this.socket === null) this.connect();
  }

  #reconnect() {
    this.socket = null;
    const ceiling = Math.min(MAX_DELAY_MS, FIRST_DELAY_MS * 2 ** this.attempt);
    const delay = ceiling / 2 + (Math.random() * ceiling) / 2;
    this.attempt += 1;
    this.listener.onState("reconnecting", Date.now() + delay);
    this.timer = setTimeout(() => this.connect(), delay);
  }

  async #watch() {
    const socket = this.socket;
    if (socket?.readyState !== WebSocket.OPEN || performance.now() - this.lastFrameAt < SILENCE_MS) return;
    if (await this.listener.onSilence()) return;
    if (this.socket !== socket) return;
    this.listener.onState("stale", 0);
    this.socket = null;
    socket.close();
    this.#reconnect();
  }
}
