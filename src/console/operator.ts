import { Elysia } from 'elysia'
import type { Facts } from '../contracts/diagnosis.ts'
import type { Health } from '../contracts/health.ts'
import { requestUrl } from '../http/request-url.ts'
import { json, refusal } from './answers.ts'
import {
  beginBackfill,
  listBackfills,
  type OperatedBackfills,
  pauseBackfill,
  previewBackfill,
  resumeBackfill,
  showBackfill,
} from './backfills.ts'
import { type Deliveries, listDeliveries, showDelivery } from './deliveries.ts'
import { CONSOLE_PAGE } from './page.ts'
import { noSuchTenant, type People } from './people.ts'
import { peopleRoutes } from './people-routes.ts'
import {
  forgetUser,
  listReceipts,
  type Privacy,
  showReceipt,
  suppressUser,
  unsuppressUser,
} from './privacy.ts'
import { readTap } from './read-tap.ts'
import { partOf } from './query.ts'
import { listReplays, replayDeliveries, replayDelivery } from './replays.ts'
import { listSegments, type Segments, showSegment } from './segments.ts'
import { tryCondition, type Trials } from './segment-trial.ts'
import type { Tap } from './tap.ts'

export interface OperatorParts {
  /** Whether this is the admin token, compared in constant time; never when none is configured. */
  readonly isAdmin: (token: string) => boolean
  readonly isStopping: () => boolean
  readonly health: () => Health
  readonly deliveries: Deliveries
  readonly backfills: OperatedBackfills
  readonly people: People
  readonly privacy: Privacy
  readonly segments: Segments & Trials
  readonly tap: Tap
  readonly reload: () => Promise<Reloaded>
  /** What `doctor` judges by, but for what the thread that speaks HTTP adds; null when it is stopping. */
  readonly diagnosis: () => Promise<Omit<Facts, 'intake'> | null>
}

/** What reading the configuration again came to. */
export type Reloaded =
  | { readonly ok: true; readonly needsRestart: readonly string[]; readonly warnings: readonly unknown[] }
  | { readonly ok: false; readonly mistakes: readonly ToldMistake[] }

interface ToldMistake {
  readonly file: string
  readonly line: number
  readonly column: number
  readonly code: string
  readonly message: string
  readonly hint: string | null
}

/** The operator's API and console. Lists of deliveries show how they fare, and nothing of what anybody said. */
export function operatorRoutes(parts: OperatorParts) {
  const { health, deliveries, backfills, people, privacy, segments, tap, isStopping } = parts
  const reads = readGuard(parts)
  const changes = changeGuard(parts)
  return new Elysia({ name: 'operator' })
    .get('/api/status', ({ request }) => reads(request, () => json(health())))
    .get('/api/deliveries', ({ request }) =>
      reads(request, () => listDeliveries(deliveries, queryOf(request), isStopping)),
    )
    .get('/api/deliveries/:id', ({ request, params: { id } }) =>
      reads(request, () => showDelivery(deliveries, partOf(id))),
    )
    .use(peopleRoutes({ people, isStopping, reads }))
    .get('/api/segments', ({ request }) => reads(request, () => listSegments(segments, queryOf(request))))
    .get('/api/segments/:name', ({ request, params: { name } }) =>
      reads(request, () => showSegment(segments, partOf(name), queryOf(request))),
    )
    .get('/api/conditions', ({ request }) =>
      reads(request, () => tryCondition(segments, queryOf(request), isStopping)),
    )
    .get('/api/replays', ({ request }) => reads(request, () => listReplays(deliveries)))
    .get('/api/diagnosis', ({ request }) => reads(request, () => diagnosisOr503(parts)))
    .get('/api/tap', ({ request }) => reads(request, () => readTap(tap, queryOf(request))))
    .get('/api/receipts', ({ request }) => reads(request, () => listReceipts(privacy, queryOf(request))))
    .get('/api/receipts/:id', ({ request, params: { id } }) => reads(request, () => showReceipt(privacy, id)))
    .post('/api/users/forget', ({ request }) =>
      changes(request, () => forgetUser(privacy, queryOf(request), isStopping)),
    )
    .post('/api/users/suppress', ({ request }) =>
      changes(request, () => suppressUser(privacy, queryOf(request))),
    )
    .post('/api/users/unsuppress', ({ request }) =>
      changes(request, () => unsuppressUser(privacy, queryOf(request))),
    )
    .post('/api/deliveries/replay', ({ request }) =>
      changes(request, () => replayDeliveries(deliveries, queryOf(request), isStopping)),
    )
    .post('/api/deliveries/:id/replay', ({ request, params: { id } }) =>
      changes(request, () => replayDelivery(deliveries, partOf(id), queryOf(request))),
    )
    .post('/api/reload', ({ request }) => changes(request, () => reloadOr503(parts)))
    .get('/api/backfills', ({ request }) => reads(request, () => listBackfills(backfills)))
    .get('/api/backfills/:id', ({ request, params: { id } }) =>
      reads(request, () => showBackfill(backfills, id)),
    )
    .post('/api/backfills', ({ request }) =>
      changes(request, () => beginBackfill(backfills, queryOf(request))),
    )
    .post('/api/backfills/dry-run', ({ request }) =>
      changes(request, () => previewBackfill(backfills, queryOf(request))),
    )
    .post('/api/backfills/:id/pause', ({ request, params: { id } }) =>
      changes(request, () => pauseBackfill(backfills, id)),
    )
    .post('/api/backfills/:id/resume', ({ request, params: { id } }) =>
      changes(request, () => resumeBackfill(backfills, id)),
    )
    .get('/ui', ({ request }) => reads(request, page))
}

function readGuard({ isAdmin, people }: OperatorParts) {
  return <A>(request: Request, answer: () => A): A | Response => {
    const token = adminToken(request)
    if (token === null || !isAdmin(token)) return unauthorized()
    return noSuchTenant(queryOf(request), people) ?? answer()
  }
}

function changeGuard(parts: OperatorParts) {
  const reads = readGuard(parts)
  return <A>(request: Request, answer: () => A): A | Response =>
    reads(request, () => {
      if (isFromElsewhere(request)) return refusal(403, 'this comes from a page of another site')
      return parts.isStopping() ? refusal(503, 'refiner-sync is stopping') : answer()
    })
}

/** A browser that knows the password sends it along with whatever another site's page makes it post here. */
function isFromElsewhere({ headers }: Request): boolean {
  const site = headers.get('sec-fetch-site')
  if (site !== null) return site !== 'same-origin' && site !== 'none'
  // Without TLS browsers say no more than where the page is from.
  const origin = headers.get('origin')
  return origin !== null && origin.replace(/^https?:\/\//, '') !== headers.get('host')
}

/** A stop ends a reload that is under way: that is no fault. */
async function reloadOr503({ reload, isStopping }: OperatorParts): Promise<Response> {
  try {
    return reloadAnswer(await reload())
  } catch (error) {
    if (isStopping()) return refusal(503, 'refiner-sync is stopping')
    throw error
  }
}

async function diagnosisOr503({ diagnosis }: OperatorParts): Promise<Response> {
  const facts = await diagnosis()
  return facts === null ? refusal(503, 'refiner-sync is stopping') : json(facts)
}

function reloadAnswer(reloaded: Reloaded): Response {
  if (reloaded.ok) {
    const { needsRestart, warnings } = reloaded
    return json({ ok: true, needs_restart: needsRestart, warnings: warnings.length })
  }
  const mistakes = reloaded.mistakes.map(({ file, line, column, code, message, hint }) => {
    return { file, line, column, code, message, hint }
  })
  return json({ ok: false, mistakes }, 422)
}

function queryOf(request: Request): URLSearchParams {
  return requestUrl(request).searchParams
}

/** A Bearer token, or the password of Basic, which is what a browser asks for. */
function adminToken(request: Request): string | null {
  const header = request.headers.get('authorization') ?? ''
  const [, scheme = '', value = ''] = /^(\S+)\s+(.*)$/.exec(header) ?? []
  if (scheme.toLowerCase() === 'bearer') return value
  if (scheme.toLowerCase() !== 'basic') return null
  const credentials = Buffer.from(value, 'base64').toString('utf8')
  return credentials.slice(credentials.indexOf(':') + 1)
}

function unauthorized(): Response {
  const message = 'this needs server.admin_token of refiner-sync.yaml, as a Bearer token or as the password'
  return json({ message }, 401, { 'www-authenticate': 'Basic realm="refiner-sync operator"' })
}

function page(): Response {
  return new Response(CONSOLE_PAGE, {
    headers: {
      'content-type': 'text/html; charset=utf-8',
      'cache-control': 'no-store',
      // Nothing from elsewhere, and no frame around it.
      'content-security-policy':
        "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; connect-src 'self'; frame-ancestors 'none'",
      'x-content-type-options': 'nosniff',
    },
  })
}
