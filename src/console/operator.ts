import { Elysia } from 'elysia'
import type { Health } from '../contracts/health.ts'
import type { DeliverySummary } from '../store/outbox.ts'
import { CONSOLE_PAGE } from './page.ts'

export interface OperatorParts {
  /** Whether this is the admin token, compared in constant time; never when none is configured. */
  readonly isAdmin: (token: string) => boolean
  readonly health: () => Health
  /** The newest deliveries, newest first, without what they say. */
  readonly deliveries: (limit: number) => readonly DeliverySummary[]
}

const MOST_DELIVERIES = 500

/** The operator's API and console: they show how deliveries fare, and nothing of what anybody said. */
export function operatorRoutes({ isAdmin, health, deliveries }: OperatorParts) {
  const guarded = (request: Request, answer: () => Response): Response => {
    const token = adminToken(request)
    return token !== null && isAdmin(token) ? answer() : unauthorized()
  }
  return new Elysia({ name: 'operator' })
    .get('/api/status', ({ request }) => guarded(request, () => json(health())))
    .get('/api/deliveries', ({ request }) =>
      guarded(request, () => json(deliveries(limitOf(request)).map(shown))),
    )
    .get('/ui', ({ request }) => guarded(request, page))
}

/** In the form of the other answers: snake case, moments in ISO 8601. */
function shown({ createdAt, settledAt, ...delivery }: DeliverySummary) {
  return {
    ...delivery,
    created_at: new Date(createdAt).toISOString(),
    settled_at: settledAt === null ? null : new Date(settledAt).toISOString(),
  }
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

function limitOf(request: Request): number {
  const limit = Number(new URL(request.url).searchParams.get('limit') ?? 100)
  return Number.isInteger(limit) && limit > 0 ? Math.min(limit, MOST_DELIVERIES) : 100
}

function unauthorized(): Response {
  const message = 'this needs server.admin_token of refiner-sync.yaml, as a Bearer token or as the password'
  return json({ message }, 401, { 'www-authenticate': 'Basic realm="refiner-sync operator"' })
}

function json(body: unknown, status = 200, headers: Record<string, string> = {}): Response {
  return new Response(JSON.stringify(body), {
    status,
    headers: { 'content-type': 'application/json; charset=utf-8', 'cache-control': 'no-store', ...headers },
  })
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
