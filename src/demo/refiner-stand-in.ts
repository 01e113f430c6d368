import { type Arrivals, createArrivalLog } from './arrivals.ts'
import { type Kept, listing } from './listed.ts'
import { basicUser, bearerToken } from './presented-key.ts'
import { type PeerRequest, type Respond, startScriptedServer } from './scripted-server.ts'

export interface RefinerStandInOptions {
  /** Default: a free port. */
  readonly port?: number
  readonly apiKeys: readonly string[] | 'any'
  /** What it lists; without it, there are no responses and contacts to be had. */
  readonly kept?: Kept
  /** Replaces the answer to a request; its call is then not recorded. */
  readonly respond?: Respond
  onCall?(call: RefinerCall): void
}

export type RefinerBody = Readonly<Record<string, unknown>>

/** One accepted call. */
export interface RefinerCall {
  /** Counts from 0. */
  readonly order: number
  readonly method: string
  /**
   * `/v1/identify-user`, `/v1/track-event`, `/v1/sync-segment`, or `/v1/contact`; of a DELETE the body is what its query
   * names.
   */
  readonly path: string
  readonly body: RefinerBody
  readonly apiKey: string
}

export interface RefinerStandIn extends Pick<Arrivals<RefinerCall>, 'until'> {
  /** Without `/v1`: `http://127.0.0.1:49152` */
  readonly url: string
  /** The accepted calls, in order of arrival. */
  readonly calls: readonly RefinerCall[]
  /** All requests so far, refused ones and those that met a fault included. */
  readonly requests: number
  /** Ends at once, hanging requests too. May be called again. */
  stop(): Promise<void>
}

/** A stand-in for Refiner's REST API on loopback, for the demo and for tests. */
export function startRefinerStandIn(options: RefinerStandInOptions): RefinerStandIn {
  const log = createArrivalLog<RefinerCall>()
  const listed = options.kept === undefined ? null : listing(options.kept)

  const accept = ({ method, path }: PeerRequest, body: RefinerBody, apiKey: string) => {
    const call = { order: log.items.length, method, path, body, apiKey }
    log.add(call)
    options.onCall?.(call)
    return Response.json({ message: 'ok', contact_uuid: contactUuid(body) })
  }

  const server = startScriptedServer({
    port: options.port ?? 0,
    respond: options.respond ?? null,
    answer(request) {
      const apiKey = presentedKey(request)
      if (apiKey === null || !isKnown(options.apiKeys, apiKey)) {
        return refusal(401, 'API key not valid or does not exist')
      }
      if (request.method === 'GET' && /^\/v1\/?$/.test(request.path)) return keyVerified()
      const list = listed?.(request) ?? null
      if (list !== null) return list
      if (request.method === 'DELETE' && request.path === '/v1/contact') {
        return accept(request, Object.fromEntries(request.query), apiKey)
      }
      if (request.method === 'DELETE' && request.path === SYNC_SEGMENT) {
        const named = Object.fromEntries(request.query)
        const missing = whatIsMissing(request.path, named)
        return missing === null ? accept(request, named, apiKey) : refusal(400, missing)
      }
      if (request.method !== 'POST' || !isCallPath(request.path)) return refusal(404, 'Not found')
      if (!isObject(request.body)) return refusal(400, 'The body is not a JSON object')
      const { api_key: _key, ...body } = request.body
      const missing = whatIsMissing(request.path, body)
      return missing === null ? accept(request, body, apiKey) : refusal(400, missing)
    },
  })

  return {
    url: server.url,
    calls: log.items,
    get requests() {
      return server.requests
    },
    until: (enough, signal) => log.until(enough, signal),
    stop: () => server.stop(),
  }
}

const SYNC_SEGMENT = '/v1/sync-segment'

/** `/v1/track` is what RudderStack's integration posts events to. */
function isCallPath(path: string): boolean {
  return ['/v1/identify-user', '/v1/track-event', '/v1/track', SYNC_SEGMENT].includes(path)
}

function presentedKey(request: PeerRequest): string | null {
  const inBody = isObject(request.body) ? request.body.api_key : null
  return (
    bearerToken(request.headers) ??
    basicUser(request.headers) ??
    request.query.get('api_key') ??
    (typeof inBody === 'string' ? inBody : null)
  )
}

function isKnown(known: readonly string[] | 'any', apiKey: string): boolean {
  return known === 'any' || known.includes(apiKey)
}

function whatIsMissing(path: string, body: RefinerBody): string | null {
  if (!isFilled(body.id) && !isFilled(body.email)) return 'Either id or email is required'
  if (path === SYNC_SEGMENT) return isFilled(body.segment_uuid) ? null : 'segment_uuid is required'
  if (path !== '/v1/identify-user' && !isFilled(body.event)) return 'event is required'
  return null
}

/** The same contact has the same uuid in every call, and in every run. */
function contactUuid(body: RefinerBody): string {
  return Bun.randomUUIDv5(isFilled(body.id) ? `id:${body.id}` : `email:${String(body.email)}`, 'url')
}

function keyVerified(): Response {
  return Response.json({
    project_uuid: Bun.randomUUIDv5('project', 'url'),
    project_name: 'Stand-in',
    message: 'Authentication successful',
  })
}

function refusal(status: number, message: string): Response {
  return Response.json({ message }, { status })
}

function isFilled(value: unknown): value is string | number {
  return (typeof value === 'string' && value !== '') || typeof value === 'number'
}

function isObject(value: unknown): value is RefinerBody {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
