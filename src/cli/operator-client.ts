import { loadConfiguration } from '../config/load.ts'
import type { CommandContext } from './context.ts'
import { daemonUrl } from './daemon-url.ts'
import { whyNoAnswer } from './why-no-answer.ts'

const TIMEOUT_MS = 30_000
const TOKEN_VARIABLE = 'REFINER_SYNC_ADMIN_TOKEN'

/** What the daemon answered; `refused` when it could not be asked, or said no, with why. */
export type Answer<Body> =
  | { readonly ok: true; readonly body: Body; readonly headers: Headers }
  | { readonly ok: false; readonly refused: string }

/** Speaks to the operator's API of a running daemon. */
export interface OperatorClient {
  get<Body>(path: string, query?: Query): Promise<Answer<Body>>
  post<Body>(path: string, query?: Query): Promise<Answer<Body>>
}

/** Null and undefined are left out; what has several values is given several times. */
export type Query = Readonly<Record<string, string | number | readonly string[] | null | undefined>>

export interface OperatorClientOptions {
  readonly config: string
  readonly url: string | undefined
}

/** The token is that of the environment, else the configuration's; a message when there is none. */
export function createOperatorClient(
  { config, url }: OperatorClientOptions,
  context: CommandContext,
): OperatorClient | string {
  const token = context.environment[TOKEN_VARIABLE] || configuredToken(config, context)
  if (token === null) {
    return `no admin token: the daemon takes the one that ${config} has as server.admin_token; give it there, or as ${TOKEN_VARIABLE} to this command`
  }
  const base = url ?? daemonUrl(config, context)
  const send = (method: string) => (path: string, query?: Query) => ask(base, { method, path, query, token })
  return { get: send('GET') as OperatorClient['get'], post: send('POST') as OperatorClient['post'] }
}

function configuredToken(config: string, { environment }: CommandContext): string | null {
  const loaded = loadConfiguration(config, environment)
  return loaded.ok ? loaded.configuration.server.adminToken : null
}

async function ask(
  base: string,
  {
    method,
    path,
    query = {},
    token,
  }: { method: string; path: string; query: Query | undefined; token: string },
): Promise<Answer<unknown>> {
  try {
    const url = new URL(path, base)
    for (const [name, value] of Object.entries(query)) {
      if (value === null || value === undefined) continue
      for (const one of typeof value === 'object' ? value : [value])
        url.searchParams.append(name, String(one))
    }
    const response = await fetch(url, {
      method,
      headers: { authorization: `Bearer ${token}` },
      redirect: 'error',
      signal: AbortSignal.timeout(TIMEOUT_MS),
    })
    const body: unknown = await response.json()
    if (response.ok) return { ok: true, body, headers: response.headers }
    if (response.status === 401)
      return {
        ok: false,
        refused: `the daemon at ${base} takes another admin token, or none: it is server.admin_token of the file that it runs on`,
      }
    const message = (body as { message?: unknown } | null)?.message
    return { ok: false, refused: typeof message === 'string' ? message : `it answered ${response.status}` }
  } catch (error) {
    return { ok: false, refused: `no daemon answers at ${base}: ${whyNoAnswer(error)}` }
  }
}
