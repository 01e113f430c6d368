import type { Respond } from '../../src/demo/scripted-server.ts'
import { completedSurvey } from '../fixtures/refiner-webhook.ts'
import { handClock, type HandClock } from './hand-clock.ts'
import { history, type HistoryOptions } from './history.ts'
import { bearer, type Loop, type LoopOptions, startLoop, until } from './loop.ts'

/** A daemon that polls, on a clock that a test moves. */

export const START = Date.UTC(2024, 4, 1, 12)
export const MINUTE = 60_000
export const EVERY = 5 * MINUTE

export interface PolledLoop extends Loop {
  readonly clock: HandClock
}

/** Polls `acme` every five minutes, unless `tenants` says otherwise. What is spaced by some milliseconds goes on by itself. */
export async function startPolled(
  options: (clock: HandClock) => LoopOptions = () => ({}),
): Promise<PolledLoop> {
  const clock = handClock(START)
  const ticking = setInterval(() => clock.pass(1), 1)
  const loop = await startLoop({
    clock,
    tenants: { acme: { refiner: { pollMs: EVERY } } },
    ...options(clock),
  })
  return Object.create(loop, {
    clock: { value: clock },
    [Symbol.asyncDispose]: {
      async value() {
        await loop[Symbol.asyncDispose]()
        clearInterval(ticking)
      },
    },
  }) as PolledLoop
}

export type PolledItem = ReturnType<typeof response>['item']

/** What a response that was completed so long after the start looks like in a webhook, and in the API. */
export function response(id: string, completedMs: number, user: string | null = 'ada') {
  const at = new Date(START + completedMs).toISOString().replace('Z', '000Z')
  const inApi = at.slice(0, 19).replace('T', ' ')
  const moments = (moment: string) => ({
    first_shown_at: moment,
    last_shown_at: moment,
    last_data_reception_at: moment,
    completed_at: moment,
    dismissed_at: null,
  })
  const own = { uuid: id, data: { nps: '9', comment: id }, tags: [] }
  const contact = { uuid: `contact-${user ?? id}`, remote_id: user, email: `${user ?? id}@example.com` }
  const account = { uuid: 'account', remote_id: null, display_name: null, domain: null }
  const form = completedSurvey()['form']
  return {
    webhook: completedSurvey({ ...contact, account, response: { ...own, ...moments(at) } }),
    item: { ...own, ...moments(inApi), form, contact: { ...contact, account } },
  }
}

/** Answers as Refiner does, with what it knows by now of what is to happen. */
export const knownBy =
  (clock: HandClock, items: readonly PolledItem[], options?: HistoryOptions): Respond =>
  (request) => {
    const past = items.filter(
      (item) => Date.parse(`${item.first_shown_at.replace(' ', 'T')}Z`) <= clock.now(),
    )
    return history(past, options)(request)
  }

export const postWebhook = (loop: Loop, body: unknown, tenant = 'acme') =>
  loop.post(`/v1/refiner/${tenant}`, body, bearer(`${tenant}-webhook-secret`))
export const polling = (loop: Loop, tenant = 'acme') => loop.daemon.health().tenants[tenant]!.polling!
/** Waits for a poll that comes to its end after the one of that moment. */
export const polled = (loop: Loop, before: string | null) =>
  until(() => polling(loop).last_success !== before)
export const settled = (loop: Loop) => until(() => loop.daemon.health().tenants['acme']!.pending === 0)
export const ids = (loop: Loop) => loop.segment.messages.map(({ message }) => String(message['messageId']))

/** Has the next poll come, and waits for its end. */
export async function nextPoll(loop: PolledLoop): Promise<void> {
  const before = polling(loop).last_success
  loop.clock.pass(EVERY)
  await polled(loop, before)
}
