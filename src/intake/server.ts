import { Elysia } from 'elysia'
import type { ServerSettings, Tenant } from '../contracts/configuration.ts'
import { type InboxAppender, InboxUnavailable, type Source } from '../contracts/inbox.ts'
import { requestUrl } from '../http/request-url.ts'
import { type Log, faultText } from '../observe/log.ts'
import type { IntakeMetrics } from '../observe/intake-metrics.ts'
import { answer, json, refusalAnswer } from './answers.ts'
import { KeyRing } from './authenticate.ts'
import type { IntakeRecord } from './intake-record.ts'
import { RefinerWebhook } from './refiner-webhook.ts'
import { RefusalLog } from './refusal-log.ts'
import { Refusal } from './refusal.ts'
import { type Accepted, type Rejected, SegmentIntake } from './segment-intake.ts'

export interface ServerParts {
  /** What takes requests now: each request is for the one that was there when it came. */
  readonly intake: () => Intake
  readonly metrics: IntakeMetrics
  readonly record: IntakeRecord
  readonly log: Log
  /** Whether the program is stopping and takes nothing more. */
  readonly isStopping: () => boolean
  /** Answers what is not for intake. */
  readonly elsewhere: (request: Request) => Promise<Response>
}

/** Takes items for the tenants of one configuration. */
export interface Intake {
  readonly segment: SegmentIntake
  readonly refiner: RefinerWebhook
  /** Whether the configuration names the tenant. */
  readonly knows: (tenant: string) => boolean
}

export function createIntake(
  settings: Pick<ServerSettings, 'maxBodyBytes'>,
  tenants: ReadonlyMap<string, Tenant>,
  inbox: InboxAppender,
): Intake {
  const shared = { tenants, inbox, maxBodyBytes: settings.maxBodyBytes }
  return {
    segment: new SegmentIntake({ ...shared, keys: new KeyRing(tenants.values()) }),
    refiner: new RefinerWebhook(shared),
    knows: (tenant) => tenants.has(tenant),
  }
}

/** The Tracking API's routes by the type of message that each takes; `null` where every message names its own. */
const TRACKING_ROUTES: Readonly<Record<string, string | null>> = {
  '/v1/identify': 'identify',
  '/v1/group': 'group',
  '/v1/track': 'track',
  '/v1/page': 'page',
  '/v1/screen': 'screen',
  '/v1/alias': 'alias',
  '/v1/batch': null,
}

/** Bodies are read by the handlers: the bytes are needed for signatures, and for errors that say what is wrong. */
const RAW = { parse: 'none' } as const

/** The server: it takes what Segment and Refiner send, and passes on everything else. */
export function createServer(parts: ServerParts) {
  const { intake, elsewhere } = parts
  const take = intakeHandler(parts)

  const app = new Elysia({
    serve: {
      // Bodies over the limit are refused by the handlers, with a message; this one only has to be larger.
      maxRequestBodySize: Number.MAX_SAFE_INTEGER,
      // A second daemon on the port must fail, not share its requests.
      reusePort: false,
      development: false,
    },
  })
    .post(
      '/v1/segment',
      ({ request }) => take('/v1/segment', 'segment', request, () => intake().segment.takeDirect(request)),
      RAW,
    )
    .post(
      '/v1/segment/:tenant',
      ({ request, params }) =>
        take(
          '/v1/segment/:tenant',
          'segment',
          request,
          () => intake().segment.takeWebhook(request, params.tenant),
          params.tenant,
        ),
      RAW,
    )
    .post(
      '/v1/refiner/:tenant',
      ({ request, params }) =>
        take(
          '/v1/refiner/:tenant',
          'refiner_webhook',
          request,
          () => intake().refiner.take(request, params.tenant),
          params.tenant,
        ),
      RAW,
    )
    .all('/*', ({ request }) => wrongMethod(request) ?? elsewhere(request))
    .onError(({ code, error, request }) => {
      if (code === 'NOT_FOUND') return wrongMethod(request) ?? elsewhere(request)
      parts.log.error({ fault: faultText(error) }, 'a request failed')
      return refusalAnswer(new Refusal(500, 'an error inside refiner-sync; its log says more'))
    })
  for (const [route, type] of Object.entries(TRACKING_ROUTES)) {
    app.post(
      route,
      ({ request }) => take(route, 'segment', request, () => intake().segment.takeTracking(request, type)),
      RAW,
    )
  }
  return app
}

/** Null unless the URL is one that takes something. */
function wrongMethod(request: Request): Response | null {
  const { pathname } = requestUrl(request)
  const takes = pathname in TRACKING_ROUTES || /^\/v1\/(segment|refiner)(\/[^/]+)?$/.test(pathname)
  if (!takes) return null
  return json(405, { success: false, message: 'this URL is right; it takes POST' }, { allow: 'POST' })
}

/** Answers a request for intake, counts it, and says in the log what was refused. */
function intakeHandler({ intake, isStopping, log, metrics, record }: ServerParts) {
  const refusals = new RefusalLog(log)
  return async (
    route: string,
    source: Source,
    request: Request,
    work: () => Promise<Accepted | Rejected>,
    /** As the URL names it. */
    named: string | null = null,
  ): Promise<Response> => {
    const started = performance.now()
    const result = isStopping() ? unavailable('shutting down') : await attempt(work, log)
    const response = answer(result)
    if ('tenant' in result) {
      const { tenant, accepted, duplicates, errors } = result
      metrics.accepted(tenant, source, accepted, duplicates)
      record.accepted(tenant, source)
      for (const error of errors) record.refused(tenant, route, error.status, request)
    } else {
      const tenant = result.whose ?? named
      const known = tenant !== null && intake().knows(tenant) ? tenant : null
      record.refused(known, route, result.refusal.status, request)
      refusals.note(route, known, result.refusal, request)
    }
    metrics.answered(route, response.status, (performance.now() - started) / 1000)
    return response
  }
}

async function attempt(work: () => Promise<Accepted | Rejected>, log: Log): Promise<Accepted | Rejected> {
  try {
    return await work()
  } catch (error) {
    if (error instanceof InboxUnavailable) {
      log.warn({ fault: error.message }, 'nothing can be accepted')
      return unavailable(error.isFull ? error.message : 'it cannot be kept on disk right now')
    }
    log.error({ fault: faultText(error) }, 'a request failed')
    return { refusal: new Refusal(500, 'an error inside refiner-sync; its log says more'), errors: [] }
  }
}

function unavailable(why: string): Rejected {
  return { refusal: new Refusal(503, `not accepted: ${why}; send it again`), errors: [] }
}
