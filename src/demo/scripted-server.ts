/**
 * The part that both stand-ins share: an HTTP server on loopback whose answers a test can replace, so that what a
 * dead, slow or overloaded peer does can be tried against real sockets.
 */

/** One request as a stand-in sees it. */
export interface PeerRequest {
  readonly method: string
  /** Without the query: `/v1/batch`. */
  readonly path: string
  readonly query: URLSearchParams
  readonly headers: Headers
  /** The body after decompression. */
  readonly text: string
  /** The body as JSON; undefined when it is empty or not JSON. */
  readonly body: unknown
}

/**
 * What a script does to one request: its own answer, a connection closed without any answer, or one that stays open
 * without an answer until the server stops.
 */
export type Fault = Response | 'drop' | 'hang'

/** Asked once per request, before anything is recorded; null lets the request through to the usual answer. */
export type Respond = (request: PeerRequest) => Fault | null | Promise<Fault | null>

export interface ScriptedServerOptions {
  /** 0 takes a free port. */
  readonly port: number
  /** Null: no faults. */
  readonly respond: Respond | null
  answer(request: PeerRequest): Response
}

export interface ScriptedServer {
  /** Without a slash at its end: `http://127.0.0.1:49152` */
  readonly url: string
  /** All requests so far, those that met a fault included. */
  readonly requests: number
  /** Closes every connection at once, hanging ones too. May be called again. */
  stop(): Promise<void>
}

export function startScriptedServer(options: ScriptedServerOptions): ScriptedServer {
  let requests = 0
  const stopping = Promise.withResolvers<void>()
  const server = Bun.serve({
    hostname: '127.0.0.1',
    port: options.port,
    // Bun closes silent connections after 10 s by default, which would end a hang.
    idleTimeout: 0,
    development: false,
    async fetch(raw) {
      requests += 1
      const request = await readRequest(raw)
      if (request === null) return Response.json({ message: 'the body is not gzip' }, { status: 400 })
      const fault = (await options.respond?.(request)) ?? null
      if (fault === null) return options.answer(request)
      return act(fault, stopping.promise)
    },
  })
  let stopped: Promise<void> | null = null
  return {
    url: `http://127.0.0.1:${server.port}`,
    get requests() {
      return requests
    },
    stop() {
      stopping.resolve()
      stopped ??= server.stop(true)
      return stopped
    },
  }
}

async function act(fault: Fault, stopping: Promise<void>): Promise<Response> {
  if (fault === 'drop') return closedConnection()
  // A copy, because a script may give the same answer to every request.
  if (fault !== 'hang') return fault.clone() as Response
  await stopping
  return closedConnection()
}

/** Bun.serve has no call for it, but resets the connection, nothing written, when a body fails before its first byte. */
function closedConnection(): Response {
  return new Response(new ReadableStream({ start: (controller) => controller.error() }))
}

async function readRequest(raw: Request): Promise<PeerRequest | null> {
  const text = await readText(raw)
  if (text === null) return null
  const url = new URL(raw.url)
  return {
    method: raw.method,
    path: url.pathname,
    query: url.searchParams,
    headers: raw.headers,
    text,
    body: parseJson(text),
  }
}

async function readText(raw: Request): Promise<string | null> {
  if (raw.headers.get('content-encoding') !== 'gzip') return raw.text()
  try {
    return new TextDecoder().decode(Bun.gunzipSync(await raw.arrayBuffer()))
  } catch {
    return null
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
