import type { IntakeFacts, RefusedFacts } from '../contracts/diagnosis.ts'
import type { Source } from '../contracts/inbox.ts'
import { requestUrl } from '../http/request-url.ts'

/** Beyond it nothing new is written down: anybody can send what is refused. */
const MOST_KINDS = 1000
const MOST_NAMES = 20
/** A name that a header or parameter may have; what is longer, or has other characters, may be no name. */
const NAME = /^[\w.-]{1,40}$/

/** Headers that say nothing of where a secret is. */
const USUAL = new Set(
  `accept accept-encoding accept-language authorization baggage cache-control cdn-loop client-ip connection
  content-encoding content-length content-type cookie date dnt expect fly-client-ip forwarded host keep-alive origin
  pragma priority referer te traceparent tracestate trailer transfer-encoding true-client-ip upgrade
  upgrade-insecure-requests user-agent via x-client-ip x-cloud-trace-context x-correlation-id x-envoy x-original-host
  x-original-uri x-real-ip x-request-id x-request-start x-scheme x-trace-id`.split(/\s+/),
)

type Refused = { -readonly [Name in keyof RefusedFacts]: RefusedFacts[Name] }
type Accepted = {
  -readonly [Name in keyof IntakeFacts['accepted'][number]]: IntakeFacts['accepted'][number][Name]
}

/** What intake took and refused since the start, for `doctor`: counts and names, nothing of what was sent. */
export class IntakeRecord {
  readonly #accepted = new Map<string, Accepted>()
  readonly #refused = new Map<string, Refused>()

  /** A request of which something was kept, or had been kept before. */
  accepted(tenant: string, source: Source): void {
    const key = `${source} ${tenant}`
    const last = new Date().toISOString()
    const known = this.#accepted.get(key)
    if (known === undefined) this.#accepted.set(key, { tenant, source, requests: 1, last })
    else Object.assign(known, { requests: known.requests + 1, last })
  }

  /** @param tenant null unless the configuration names it: anybody can put a name into a URL */
  refused(tenant: string | null, route: string, status: number, request: Request): void {
    const key = `${status} ${route} ${tenant ?? ''}`
    const known = this.#refused.get(key)
    if (known === undefined && this.#refused.size >= MOST_KINDS) return
    const told = { last: new Date().toISOString(), carried: carriedBy(request) }
    if (known === undefined) this.#refused.set(key, { tenant, route, status, times: 1, ...told })
    else Object.assign(known, { times: known.times + 1, ...told })
  }

  facts(): IntakeFacts {
    return { accepted: [...this.#accepted.values()], refused: [...this.#refused.values()] }
  }
}

function carriedBy(request: Request): RefusedFacts['carried'] {
  const headers = [...request.headers.keys()].filter((name) => !isUsual(name) && NAME.test(name))
  // A parameter without a value may be the secret itself.
  const query = [...requestUrl(request).searchParams]
    .filter(([name, value]) => value !== '' && NAME.test(name))
    .map(([name]) => name)
  const authorization = schemeOf(request.headers.get('authorization'))
  return { headers: headers.slice(0, MOST_NAMES), authorization, query: query.slice(0, MOST_NAMES) }
}

function isUsual(name: string): boolean {
  return (
    USUAL.has(name) ||
    /^(sec-|x-forwarded-|cf-|x-amzn-|x-amz-cf-|x-azure-|x-datadog-|x-envoy-|fastly-|fly-|x-vercel-|b3$|x-b3-)/.test(
      name,
    )
  )
}

/** Only schemes that are known are named: a header without one begins with the secret. */
function schemeOf(header: string | null): RefusedFacts['carried']['authorization'] {
  if (header === null) return null
  const scheme = /^(bearer|basic)\s/i.exec(header)?.[1]?.toLowerCase()
  return scheme === 'bearer' || scheme === 'basic' ? scheme : 'other'
}
