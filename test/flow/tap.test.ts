import { expect, test } from 'bun:test'
import { runProgram } from '../../src/cli/program.ts'
import { Tap, type TapAnswer, type TapEvent } from '../../src/console/tap.ts'
import { basic, bearer, type Loop, startLoop, until } from '../support/loop.ts'
import { handClock } from '../support/hand-clock.ts'

const adminToken = 'the-admin-token'

const track = (loop: Loop, event: string) =>
  loop.post(
    '/v1/segment',
    { type: 'track', userId: 'ada', event, messageId: event },
    basic('acme-destination-key'),
  )

/** `refiner-sync tap`, until it ends or is stopped. */
function follow(loop: Loop, args: string[]) {
  const lines: string[] = []
  const errors: string[] = []
  const { promise: stopped, resolve: stop } = Promise.withResolvers<void>()
  const ended = runProgram(['tap', '--url', loop.daemon.url, ...args], {
    environment: { REFINER_SYNC_ADMIN_TOKEN: adminToken },
    print: (line) => void lines.push(line),
    printError: (line) => void errors.push(line),
    terminal: false,
    stopped,
    onHangup() {},
  })
  return { lines, errors, stop, ended }
}

test('tap follows what is queued, refused, replayed and delivered, by its filters, until Ctrl-C', async () => {
  let refusing = true
  await using loop = await startLoop({
    adminToken,
    refiner: () => (refusing ? Response.json({}, { status: 422 }) : null),
  })
  const all = follow(loop, [])
  const delivered = follow(loop, ['--json', '--state', 'delivered', '--tenant', 'acme'])
  await until(() => all.errors.length === 1 && delivered.errors.length === 1)
  await track(loop, 'first')
  await until(() => all.lines.length === 2)
  refusing = false
  await fetch(`${loop.daemon.url}/api/deliveries/1/replay`, { method: 'POST', headers: bearer(adminToken) })
  await until(() => all.lines.length === 4 && delivered.lines.length === 1)
  expect(all.lines.map((line) => line.replace(/^\S+ +/, ''))).toEqual([
    'queued     acme → refiner  track, of input 1',
    expect.stringMatching(/^dead +acme → refiner +track, delivery 1: .* answered 422$/),
    'replayed   acme → refiner  delivery 1: resent',
    'delivered  acme → refiner  track, delivery 1',
  ])
  expect(JSON.parse(delivered.lines[0]!)).toMatchObject({ state: 'delivered', tenant: 'acme', delivery: 1 })
  all.stop()
  delivered.stop()
  expect(await Promise.all([all.ended, delivered.ended])).toEqual([0, 0])
})

test('tap ends with the daemon, and does not hold up its end', async () => {
  await using loop = await startLoop({ adminToken })
  const tap = follow(loop, [])
  await until(() => tap.errors.length === 1)
  await loop.restart()
  expect(await tap.ended).toBe(0)
  expect(tap.errors.at(-1)).toBe('the daemon has stopped')
  const nobody = { ...loop, daemon: { ...loop.daemon, url: 'http://127.0.0.1:9' } }
  expect(await follow(nobody, []).ended).toBe(1)
})

test.each(['wait=x', 'state=pending', 'destination=here', 'tenent=acme', 'after=-1'])(
  'what is not understood is refused: %s',
  async (query) => {
    await using loop = await startLoop({ adminToken })
    const response = await fetch(`${loop.daemon.url}/api/tap?${query}`, { headers: bearer(adminToken) })
    expect(response.status).toBe(400)
  },
)

const ALL = { tenant: null, destination: null, state: null }
const event = (delivery: number): TapEvent => ({
  tenant: 'acme',
  destination: 'segment',
  call: 'track',
  state: 'delivered',
  delivery,
  input: null,
  reason: null,
})
const events = (count: number) => () => Array.from({ length: count }, (_, index) => event(index + 1))

test('a slow reader loses the oldest and is told how many; nothing is held for nobody', async () => {
  const clock = handClock()
  const tap = new Tap(clock)
  tap.publish(3, () => {
    throw new Error('nobody reads along')
  })
  const { next } = (await tap.read(null, ALL, 0))!
  tap.publish(12_000, events(12_000))
  let answer: TapAnswer = { events: [], next, missed: 0, stopping: false }
  let [read, missed] = [0, 0]
  do {
    answer = (await tap.read(answer.next, ALL, 0))!
    read += answer.events.length
    missed += answer.missed
  } while (answer.events.length > 0)
  expect({ read, missed }).toEqual({ read: 5000, missed: 7000 })
  // Gone for longer than anything is held.
  clock.pass(31_000)
  tap.publish(10, events(10))
  expect(await tap.read(answer.next, ALL, 0)).toMatchObject({ events: [], missed: 10 })
})

test('readers are bounded, and all are let go at the end', async () => {
  const clock = handClock()
  const tap = new Tap(clock)
  const { next } = (await tap.read(null, ALL, 0))!
  const waiting = Array.from({ length: 16 }, () => tap.read(next, ALL, 8000))
  expect(await tap.read(next, ALL, 8000)).toBeNull()
  tap.publish(1, events(1))
  clock.pass(25)
  expect((await waiting[0])?.events).toMatchObject([{ delivery: 1, seq: next + 1 }])
  const last = tap.read(next + 1, ALL, 8000)
  void tap.close()
  expect(await last).toMatchObject({ stopping: true, events: [] })
})
