import { expect, test } from 'bun:test'
import { startRefinerStandIn } from '../../src/demo/refiner-stand-in.ts'
import { startSegmentStandIn } from '../../src/demo/segment-stand-in.ts'
import { withResponse } from '../fixtures/refiner-webhook.ts'
import { basic, bearer, deadline, postTo, until } from '../support/loop.ts'
import { PROGRAM, run, workplace } from '../support/process.ts'

/** Sends both ways until the daemon is gone; answers the numbers of what was acknowledged with 200. */
async function load(url: string, prefix: string): Promise<{ webhooks: string[]; tracks: string[] }> {
  const acknowledged = { webhooks: [] as string[], tracks: [] as string[] }
  const sender = async (user: number) => {
    for (let n = 0; ; n++) {
      const id = `${prefix}-${user}-${n}`
      const body = withResponse({ uuid: id, data: { id } }, { remote_id: `user-${user}`, account: null })
      const track = { type: 'track', userId: `user-${user}`, event: id, messageId: id }
      try {
        if ((await postTo(url, '/v1/refiner/acme', body, bearer('acme-webhook-secret'))).status !== 200)
          return
        acknowledged.webhooks.push(id)
        if ((await postTo(url, '/v1/segment', track, basic('acme-destination-key'))).status !== 200) return
        acknowledged.tracks.push(id)
      } catch {
        return
      }
    }
  }
  await Promise.all(Array.from({ length: 8 }, (_, user) => sender(user)))
  return acknowledged
}

test.each(['SIGTERM', 'SIGKILL'] as const)(
  'after %s in the midst of load, everything acknowledged is delivered by the next start',
  async (signal) => {
    await using stops = new AsyncDisposableStack()
    const segment = startSegmentStandIn({ writeKeys: ['acme-write-key'] })
    const refiner = startRefinerStandIn({ apiKeys: ['acme-refiner-key'] })
    stops.defer(() => segment.stop())
    stops.defer(() => refiner.stop())
    using place = workplace({ segment: segment.url, refiner: refiner.url })

    const first = run(PROGRAM, ['serve'], place.folder)
    stops.defer(() => first.process.kill('SIGKILL'))
    const sending = load(await first.url(), 'one')
    await segment.until((messages) => messages.length > 200, deadline())
    first.process.kill(signal)
    const { webhooks, tracks } = await sending
    const code = await first.process.exited
    if (signal === 'SIGTERM') expect(code).toBe(0)
    expect(webhooks.length).toBeGreaterThan(50)

    const second = run(PROGRAM, ['serve'], place.folder)
    stops.defer(() => second.process.kill('SIGKILL'))
    await second.url()
    const answers = () => segment.delivered.filter(({ message }) => message['type'] === 'track')
    await segment.until(
      () =>
        includesAll(
          answers().map(({ message }) => answerId(message)),
          webhooks,
        ),
      deadline(),
    )
    await refiner.until(
      (calls) =>
        includesAll(
          calls.map(({ body }) => String(body['event'])),
          tracks,
        ),
      deadline(),
    )

    expectInOrder(answers().map(({ message }) => answerId(message)))
    expectInOrder([...new Set(refiner.calls.map(({ body }) => String(body['event'])))])
    second.process.kill('SIGTERM')
    expect(await second.process.exited).toBe(0)
  },
)

test('a signal while nothing happens ends it at once, and its log shows neither keys nor people', async () => {
  await using stops = new AsyncDisposableStack()
  const segment = startSegmentStandIn({ writeKeys: 'any', respond: () => new Response('', { status: 500 }) })
  stops.defer(() => segment.stop())
  using place = workplace({ segment: segment.url, refiner: segment.url })
  const daemon = run(PROGRAM, ['serve', '--log-level', 'debug'], place.folder)
  stops.defer(() => daemon.process.kill('SIGKILL'))
  const url = await daemon.url()
  const webhook = withResponse({ data: { comment: 'a secret wish' } })
  await postTo(url, '/v1/refiner/acme', webhook, bearer('acme-webhook-secret'))
  await postTo(url, '/v1/refiner/acme?token=leaked', webhook, bearer('a-wrong-secret'))
  await until(() => segment.requests > 1)
  daemon.process.kill('SIGINT')
  expect(await daemon.process.exited).toBe(0)
  for (const line of (await daemon.whole()).trim().split('\n'))
    expect(JSON.parse(line)).toHaveProperty('level')
  expect(daemon.output()).toContain('to be tried again')
  expect(daemon.output()).not.toMatch(/-secret|-key|leaked|user-1042|ada@example|wish/)
})

function answerId(message: Readonly<Record<string, unknown>>): string {
  return (message['properties'] as { id: string }).id
}

function includesAll(all: readonly string[], wanted: readonly string[]): boolean {
  const known = new Set(all)
  return wanted.every((id) => known.has(id))
}

/** IDs end in `<user>-<number>`: each user's numbers must rise. */
function expectInOrder(ids: readonly string[]): void {
  const last = new Map<string, number>()
  for (const id of ids) {
    const [, user, n] = id.split('-') as [string, string, string]
    expect(Number(n)).toBeGreaterThan(last.get(user) ?? -1)
    last.set(user, Number(n))
  }
}
