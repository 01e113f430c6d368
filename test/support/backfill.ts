import type { ShownBackfill } from '../../src/console/backfills.ts'
import type { ReceivedMessage } from '../../src/demo/segment-stand-in.ts'
import { bearer, until } from './loop.ts'

export const ADMIN = 'the-admin-token-of-the-test'

/** Calls the operator's API of a daemon. */
export async function ask(
  url: string,
  method: 'GET' | 'POST',
  path: string,
): Promise<{ status: number; body: unknown }> {
  const response = await fetch(`${url}${path}`, { method, headers: bearer(ADMIN) })
  return { status: response.status, body: await response.json() }
}

/** The same, of a route that answers a backfill. */
export async function operate(
  url: string,
  method: 'GET' | 'POST',
  path: string,
): Promise<{ status: number; body: ShownBackfill }> {
  const { status, body } = await ask(url, method, path)
  return { status, body: body as ShownBackfill }
}

/** Begins a backfill of `acme`; answers its ID. */
export async function begin(url: string, query = 'since=2022-12-01'): Promise<number> {
  const { status, body } = await operate(url, 'POST', `/api/backfills?tenant=acme&${query}`)
  if (status !== 200) throw new Error(JSON.stringify(body))
  return body.backfill
}

/** Waits until a backfill has ended, doing `meanwhile` again and again; answers what came of it. */
export async function ended(url: string, id: number, meanwhile = () => {}): Promise<ShownBackfill> {
  let shown: ShownBackfill | null = null
  await until(async () => {
    meanwhile()
    shown = (await operate(url, 'GET', `/api/backfills/${id}`)).body
    return shown.state !== 'running'
  })
  return shown!
}

/** The messages about each response in the order in which they came, copies left out: `identify`, `group` and so on. */
export function byResponse(delivered: readonly ReceivedMessage[]): Map<string, string[]> {
  const responseOf = new Map<string, string>()
  const shared = (id: unknown) => String(id).split('-').slice(0, 3).join('-')
  for (const { message } of delivered) {
    const response = (message['properties'] as Record<string, unknown> | undefined)?.['response_uuid']
    if (typeof response === 'string') responseOf.set(shared(message.messageId), response)
  }
  const found = new Map<string, string[]>()
  for (const { message } of delivered) {
    const response = responseOf.get(shared(message.messageId)) ?? 'of no response'
    found.set(response, [...(found.get(response) ?? []), String(message['type'])])
  }
  return found
}

/** When what the tracks of each user tell of happened, in the order in which they came. */
export function momentsByUser(delivered: readonly ReceivedMessage[]): string[][] {
  const found = new Map<unknown, string[]>()
  for (const { message } of delivered) {
    if (message.type !== 'track') continue
    const user = message['userId']
    found.set(user, [...(found.get(user) ?? []), String(message['timestamp'])])
  }
  return [...found.values()]
}
