/**
 * What a web page can try against a local service, run in a browser by web-pages.test.ts. Each attempt resolves to what the
 * page could read of the answer, null for nothing.
 */
const turn = JSON.stringify({ input: "from a web page", stream: false });
const guess = JSON.stringify({ code: "guess" });
const patienceMs = 10_000;

async function tryFetch(url, options) {
  try {
    const answer = await fetch(url, options);
    // Opaque: the browser tells the page neither status nor body.
    if (answer.type === "opaque") return (await answer.text()) || null;
    return `${answer.status} ${await answer.text()}`;
  } catch {
    return null;
  }
}

const post = (headers, more = {}) => ({ method: "POST", body: turn, headers, ...more });
const json = { "content-type": "application/json" };
const plain = { "content-type": "text/plain" };

/** Settles with what the first of the events brings. */
function untilEvent(target, outcomes) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error("nothing happened")), patienceMs);
    for (const [event, read] of Object.entries(outcomes)) {
      target.addEventListener(event, (detail) => {
        clearTimeout(timer);
        resolve(read(detail));
      });
    }
  });
}

function tryElement(tag, attributes) {
  const element = Object.assign(document.createElement(tag), attributes);
  const settled = untilEvent(element, {
    load: () => "loaded",
    loadeddata: () => "loaded",
    error: () => null,
  });
  document.body.append(element);
  return settled;
}

function readFrame(frame) {
  try {
    return frame.contentDocument?.body.innerText || null;
  } catch {
    return null;
  }
}

async function tryForm(action, enctype, method = "POST") {
  const frame = Object.assign(document.createElement("iframe"), { name: `frame-${Math.random()}` });
  document.body.append(frame);
  const form = Object.assign(document.createElement("form"), { action, method, enctype, target: frame.name });
  // As text/plain the body comes out as {"input":"from a form","x":"="}, which is JSON.
  form.append(
    Object.assign(document.createElement("input"), { name: '{"input":"from a form","x":"', value: '"}' }),
  );
  document.body.append(form);
  const answered = untilEvent(frame, { load: () => readFrame(frame) });
  form.submit();
  return await answered;
}

async function tryIframe(src) {
  const frame = Object.assign(document.createElement("iframe"), { src });
  const loaded = untilEvent(frame, { load: () => readFrame(frame) });
  document.body.append(frame);
  return await loaded;
}

/** A window of its own, with a guess where the service's page looks for a one-time code. */
async function tryWindow(url) {
  const opened = window.open(url);
  const deadline = performance.now() + patienceMs;
  while (performance.now() < deadline) {
    try {
      const { location, document } = opened;
      if (location.href !== "about:blank" && document.readyState === "complete") {
        const read = document.body.innerText || null;
        opened.close();
        return read;
      }
    } catch {
      // It has gone to another origin, and shows nothing of it.
      opened.close();
      return null;
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error("nothing happened");
}

/** A frame whose origin is `null`. */
async function trySandbox(url, headers) {
  const frame = document.createElement("iframe");
  frame.sandbox = "allow-scripts";
  const options = JSON.stringify(post(headers));
  const script = `fetch(${JSON.stringify(url)}, ${options}).then((answer) => answer.text())`;
  frame.srcdoc = `<script>${script}.catch(() => null).then((read) => parent.postMessage({ read }, "*"))</script>`;
  const told = untilEvent(window, { message: ({ data }) => data.read });
  document.body.append(frame);
  return await told;
}

async function tryBeacon(url, type) {
  navigator.sendBeacon(url, new Blob([turn], { type }));
  return null;
}

async function tryWebSocket(base) {
  const socket = new WebSocket(base.replace("http", "ws"));
  return await untilEvent(socket, { open: () => "open", message: () => "message", error: () => null });
}

async function tryEventSource(url) {
  const source = new EventSource(url);
  const read = await untilEvent(source, { open: () => "open", message: () => "message", error: () => null });
  source.close();
  return read;
}

async function tryImport(url) {
  return await import(url).then(
    () => "imported",
    () => null,
  );
}

window.attempts = {
  "reading the page": (base) => tryFetch(`${base}/`, { headers: { accept: "text/html" } }),
  "a frame of the page": (base) => tryIframe(`${base}/#code=guess`),
  "a window of the page": (base) => tryWindow(`${base}/#code=guess`),
  "a script of the page": (base) => tryElement("script", { src: `${base}/page/page.00000000.js` }),
  "asking for a code": (base) => tryFetch(`${base}/v1/page/codes`, { method: "POST" }),
  "guessing a code": (base) => tryFetch(`${base}/v1/page/tokens`, { ...post(json), body: guess }),
  "guessing a code without CORS": (base) =>
    tryFetch(`${base}/v1/page/tokens`, { ...post(plain, { mode: "no-cors" }), body: guess }),
  "guessing a code by a form": (base) => tryForm(`${base}/v1/page/tokens`, "text/plain"),
  "reading the events": (base) => tryFetch(`${base}/v1/events`),
  "an event source of the events": (base) => tryEventSource(`${base}/v1/events`),
  "a simple POST": (base) => tryFetch(`${base}/v1/responses`, post(plain)),
  "a simple POST to chat completions": (base) => tryFetch(`${base}/v1/chat/completions`, post(plain)),
  "a JSON POST with its preflight": (base) => tryFetch(`${base}/v1/responses`, post(json)),
  "a preflight for a guessed token": (base) =>
    tryFetch(`${base}/v1/responses`, post({ ...json, authorization: "Bearer guess" })),
  "a no-cors POST": (base) => tryFetch(`${base}/v1/responses`, post(plain, { mode: "no-cors" })),
  "a no-cors POST that claims JSON": (base) =>
    tryFetch(`${base}/v1/responses`, post(json, { mode: "no-cors" })),
  "a POST with credentials": (base) =>
    tryFetch(`${base}/v1/responses`, post(plain, { credentials: "include" })),
  "a POST that outlives the page": (base) =>
    tryFetch(`${base}/v1/responses`, post(plain, { keepalive: true })),
  "a POST without a referrer": (base) =>
    tryFetch(`${base}/v1/responses`, post(plain, { referrerPolicy: "no-referrer" })),
  "reading the models": (base) => tryFetch(`${base}/v1/models`),
  "reading the health": (base) => tryFetch(`${base}/v1/health`),
  "reading the metrics": (base) => tryFetch(`${base}/metrics`),
  "reading the probe": (base) => tryFetch(`${base}/livez`),
  "a no-cors GET": (base) => tryFetch(`${base}/v1/health`, { mode: "no-cors" }),
  "a DELETE": (base) => tryFetch(`${base}/v1/responses/resp_1`, { method: "DELETE" }),
  "a plain text form": (base) => tryForm(`${base}/v1/responses`, "text/plain"),
  "a form": (base) => tryForm(`${base}/v1/responses`, "application/x-www-form-urlencoded"),
  "a multipart form": (base) => tryForm(`${base}/v1/responses`, "multipart/form-data"),
  "a GET form": (base) => tryForm(`${base}/v1/models`, "text/plain", "GET"),
  "a beacon": (base) => tryBeacon(`${base}/v1/responses`, "text/plain"),
  "a JSON beacon": (base) => tryBeacon(`${base}/v1/responses`, "application/json"),
  "a sandboxed frame's POST": (base) => trySandbox(`${base}/v1/responses`, plain),
  "a sandboxed frame's JSON POST": (base) => trySandbox(`${base}/v1/responses`, json),
  "a frame": (base) => tryIframe(`${base}/v1/health`),
  "a WebSocket": (base) => tryWebSocket(`${base}/v1/responses`),
  "an event source": (base) => tryEventSource(`${base}/v1/responses`),
  "an image": (base) => tryElement("img", { src: `${base}/v1/models` }),
  "a script": (base) => tryElement("script", { src: `${base}/v1/models` }),
  "a style sheet": (base) => tryElement("link", { rel: "stylesheet", href: `${base}/v1/models` }),
  "a video": (base) => tryElement("video", { src: `${base}/v1/models`, preload: "auto" }),
  "a module": (base) => tryImport(`${base}/v1/models`),
};

/** What a page of an allowed origin does. */
window.callOpenly = async (base, token, stream) => {
  const answer = await fetch(`${base}/v1/responses`, {
    method: "POST",
    headers: { ...json, authorization: `Bearer ${token}` },
    body: JSON.stringify({ input: "from a web page", stream }),
  });
  return { status: answer.status, requestId: answer.headers.get("x-request-id"), text: await answer.text() };
};
