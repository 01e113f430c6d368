import { expect, test } from 'bun:test'
import { BackfillLines } from '../../src/cli/backfill-lines.ts'
import { runProgram } from '../../src/cli/program.ts'
import type { ShownBackfill } from '../../src/console/backfills.ts'
import { ADMIN, begin, operate } from '../support/backfill.ts'
import { history, pastItem } from '../support/history.ts'
import { type Loop, startLoop } from '../support/loop.ts'

const COUNT = 60
const past = history(Array.from({ length: COUNT }, (_, n) => pastItem(n)))

/** `refiner-sync backfill …`, and what it prints. */
async function run(loop: Loop, args: readonly string[], stopped: Promise<void> = new Promise(() => {})) {
  const [out, errors]: [string[], string[]] = [[], []]
  const code = await runProgram(['backfill', ...args, '--url', loop.daemon.url], {
    environment: { REFINER_SYNC_ADMIN_TOKEN: ADMIN },
    print: (line) => out.push(line),
    printError: (line) => errors.push(line),
    terminal: false,
    stopped,
    onHangup() {},
  })
  return { code, out, errors }
}

test('a backfill is begun, watched to its end and listed; what is done is not resumed', async () => {
  await using loop = await startLoop({ adminToken: ADMIN, refiner: past })
  const begun = await run(loop, ['--tenant', 'acme', '--since', '2022-12-01'])
  expect(begun.code).toBe(0)
  expect(begun.out).toEqual(['backfill 1 is done', '  60 responses read, 60 taken, 180 messages'])
  const again = await run(loop, ['--tenant', 'acme', '--since', '2022-12-01', '--json'])
  const lines = again.out.map((line) => JSON.parse(line) as ShownBackfill)
  expect(lines.at(-1)).toMatchObject({ backfill: 2, state: 'done', counts: { known: 60, messages: 0 } })
  const listed = await run(loop, ['--list'])
  expect(listed.out[1]).toContain('acme  to-segment  since 2022-12-01T00:00:00.000Z')
  expect(listed.out[1]).toEndWith(': done, 60 read, 60 taken, 180 messages')
  const resumed = await run(loop, ['--tenant', 'acme', '--resume'])
  expect(resumed).toMatchObject({ code: 1, errors: ['backfill 2 of acme is done; start another one'] })
})

test('a dry run is summed up in words', async () => {
  await using loop = await startLoop({ adminToken: ADMIN, refiner: past })
  const { code, out } = await run(loop, ['--tenant', 'acme', '--since', '2022-12-01', '--dry-run'])
  expect(code).toBe(0)
  expect(out.slice(0, 4)).toEqual([
    '60 responses read: 60 would be taken, 0 known before, 0 left out, 0 forgotten',
    '180 messages would be sent: 60 identify, 60 group, 60 track',
    '  from: 60 completed',
    '  Customer Churn Survey: 60 interactions, 180 messages',
  ])
  expect(out.filter((line) => line.includes('"messageId"'))).toHaveLength(5)
  expect(out.at(-1)).toBe('a dry run: nothing was written or sent')
  const { out: json } = await run(loop, ['--tenant', 'acme', '--since', '2022-12-01', '--dry-run', '--json'])
  expect(JSON.parse(json.join('\n'))).toMatchObject({ dry_run: true, whole: true, read: 60 })
  expect(loop.segment.messages).toHaveLength(0)
})

test('whoever stops watching leaves it running; it can be paused, and resumed', async () => {
  await using loop = await startLoop({ adminToken: ADMIN, refiner: past })
  const args = ['--tenant', 'acme', '--since', '2022-12-01', '--rate', '20']
  const left = await run(loop, args, Promise.resolve())
  expect(left.code).toBe(0)
  expect(left.errors.at(-1)).toStartWith('backfill 1 goes on in the daemon')
  expect((await operate(loop.daemon.url, 'GET', '/api/backfills/1')).body.state).toBe('running')
  const paused = await run(loop, ['--tenant', 'acme', '--pause'])
  expect(paused.out[0]).toBe('backfill 1 is paused')
  const resumed = await run(loop, ['--tenant', 'acme', '--resume'], Promise.resolve())
  expect(resumed.errors.at(-1)).toStartWith('backfill 1 goes on')
  expect((await operate(loop.daemon.url, 'GET', '/api/backfills/1')).body.state).toBe('running')
})

test('a second one at once is refused, and so is what makes no sense', async () => {
  await using loop = await startLoop({ adminToken: ADMIN, refiner: past })
  await begin(loop.daemon.url, 'since=2022-12-01&rate=1')
  const second = await run(loop, ['--tenant', 'acme', '--since', '1d'])
  expect(second).toMatchObject({
    code: 1,
    errors: [expect.stringContaining('backfill 1 of this tenant is running')],
  })
  for (const [args, message] of [
    [['--since', '1d'], 'name the tenant'],
    [['--tenant', 'acme'], 'say since when'],
    [
      ['--tenant', 'acme', '--since', '1d', '--to-segment', '--store-only'],
      'either --to-segment or --store-only',
    ],
    [['--tenant', 'acme', '--resume', '--since', '1d'], 'has its filters'],
    [['--tenant', 'acme', '--resume', '--pause'], 'do not go together'],
    [['--tenant', 'acme', '--since', '1d', '--rate', '0'], 'over 0'],
  ] as const) {
    const { code, errors } = await run(loop, args)
    expect(code, message).toBe(2)
    expect(errors.join('\n')).toContain(message)
  }
})

test('the line has a bar, the pace, what is left, and what it waits for', () => {
  const counts = {
    contacts: 0,
    contacts_kept: 0,
    read: 0,
    taken: 0,
    known: 0,
    forgotten: 0,
    left_out: 0,
    messages: 0,
    copies: 0,
    skipped: 0,
    dead: 0,
  }
  const at = (read: number): ShownBackfill => ({
    backfill: 1,
    tenant: 'acme',
    at: '',
    by: '',
    mode: 'to-segment',
    since: '',
    until: '',
    surveys: [],
    contacts: false,
    rate: null,
    state: 'running',
    reason: null,
    waiting_for: null,
    total: 200_000,
    at_moment: null,
    counts: { ...counts, read, taken: read, messages: 3 * read },
    updated_at: '',
    finished_at: null,
  })
  const lines = new BackfillLines()
  expect(lines.at(at(0), 0)).toBe('[........................] 0 of 200,000, 0%')
  expect(lines.at(at(50_000), 10_000)).toBe(
    '[######..................] 50,000 of 200,000, 25%  5,000/s  about 30 s left  50,000 taken, 150,000 messages',
  )
  expect(lines.at({ ...at(50_000), total: null, waiting_for: 'Refiner: it answered 503' }, 11_000)).toEndWith(
    'waits for Refiner: it answered 503',
  )
})
