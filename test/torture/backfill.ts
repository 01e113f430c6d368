/**
 * The same responses by webhook, by polling and by two backfills, at once, with `kill -9` in between: each message is to
 * reach Segment once by its ID. `bun test/torture/backfill.ts [--responses 1000] [--kills 10] [--seed 1]`
 */
import { Database } from 'bun:sqlite'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { startRefinerStandIn } from '../../src/demo/refiner-stand-in.ts'
import { startSegmentStandIn } from '../../src/demo/segment-stand-in.ts'
import { ADMIN, begin, byResponse, ended } from '../support/backfill.ts'
import { history, pastItem, pastWebhook } from '../support/history.ts'
import { bearer, until } from '../support/loop.ts'
import { PROGRAM, run, type Running, workplace } from '../support/process.ts'
import { chance } from './random.ts'

interface Plan {
  readonly responses: number
  readonly kills: number
  readonly seed: number
}

interface Report {
  readonly kills: number
  /** Responses of which nothing came. */
  readonly lost: readonly string[]
  /** Of which something came under more than one ID. */
  readonly twice: readonly string[]
  /** Of which something is missing. */
  readonly incomplete: readonly string[]
  /** Whose messages came in another order than identify, group, track. */
  readonly outOfOrder: number
  /** Of the backfills, in the end. */
  readonly states: readonly string[]
  /** Interactions that polling brought before anybody else did. */
  readonly polled: number
}

const CALLS = ['identify', 'group', 'track']
/** Requests under way at once. */
const SENDERS = 8

/** Runs it; answers what came of it. */
export async function killedBackfill({ responses, kills, seed }: Plan): Promise<Report> {
  const random = chance(seed, 'backfill')
  const numbers = Array.from({ length: responses }, (_, n) => n)
  await using stops = new AsyncDisposableStack()
  const segment = startSegmentStandIn({
    writeKeys: 'any',
    respond: () => (random.next() < 0.05 ? new Response('busy', { status: 503 }) : null),
  })
  // Of some minutes ago: so old that polling does not leave them to their webhooks, and not so old that it passes them over.
  const when = { begins: Date.now() - 9 * 60_000, everyMs: (8 * 60_000) / responses }
  const past = history(numbers.map((n) => pastItem(n, when)))
  const refiner = startRefinerStandIn({
    apiKeys: 'any',
    respond(request) {
      const isThrottled = request.method === 'GET' && random.next() < 0.03
      return isThrottled ? new Response('', { status: 429 }) : past(request)
    },
  })
  stops.defer(() => segment.stop())
  stops.defer(() => refiner.stop())
  using place = workplace({ segment: `${segment.url}/v1`, refiner: `${refiner.url}/v1` })
  const file = join(place.folder, 'refiner-sync.yaml')
  const yaml = await Bun.file(file).text()
  writeFileSync(
    file,
    yaml
      .replace('port: 0', `port: 0, admin_token: ${ADMIN}`)
      .replace('rate_limit: 1000/s', 'rate_limit: 1000/s\n      poll: 1s'),
  )

  let daemon: Running | null = null
  const start = async () => {
    daemon = run(PROGRAM, [], place.folder)
    return daemon.url()
  }
  stops.defer(() => {
    daemon?.process.kill('SIGKILL')
  })
  const database = join(place.folder, 'data', 'refiner-sync.db')
  await start()
  daemon!.process.kill('SIGKILL')
  await daemon!.process.exited
  pollFrom(database, when.begins - 60_000)
  let url = await start()
  const waiting = numbers.toSorted(() => random.next() - 0.5)
  const sender = async () => {
    while (waiting.length > 0) {
      const n = waiting.pop()!
      if (!(await isTaken(url, pastWebhook(n, when)))) waiting.unshift(n)
      // Spread over all of it: some come before the backfill does, and some after.
      await Bun.sleep(random.between(0, 40))
    }
  }
  const senders = Array.from({ length: SENDERS }, sender)
  const ids: number[] = [await begin(url, 'since=1d')]
  for (let kill = 0; kill < kills; kill += 1) {
    await Bun.sleep(random.between(20, 400))
    daemon!.process.kill('SIGKILL')
    await daemon!.process.exited
    url = await start()
  }
  const first = await ended(url, ids[0]!)
  ids.push(await begin(url, 'since=1d'))
  const second = await ended(url, ids[1]!)
  await Promise.all(senders)
  await until(async () => {
    const { tenants } = (await (await fetch(`${url}/health`)).json()) as {
      tenants: Record<string, { pending: number }>
    }
    return tenants['acme']!.pending === 0
  }, AbortSignal.timeout(60_000))
  const found = byResponse(segment.delivered)
  const calls = [...found.entries()]
  const expected = numbers.map((n) => (pastItem(n) as { uuid: string }).uuid)
  return {
    kills,
    lost: expected.filter((uuid) => !found.has(uuid)),
    twice: calls.filter(([, came]) => came.length > CALLS.length).map(([uuid]) => uuid),
    incomplete: calls.filter(([, came]) => CALLS.some((call) => !came.includes(call))).map(([uuid]) => uuid),
    outOfOrder: calls.filter(([, came]) => came.join() !== CALLS.join()).length,
    states: [first.state, second.state],
    polled: polledOf(database),
  }
}

/** As if polling had begun then: what was before its beginning it leaves to a backfill. */
function pollFrom(file: string, moment: number): void {
  using sqlite = new Database(file)
  sqlite.run('update poll_places set begun_at = ?, seen_until = ?, last_success_at = null', [moment, moment])
}

function polledOf(file: string): number {
  using sqlite = new Database(file, { readonly: true })
  // Where its webhook came later, it is the webhook's: the key stays that of polling.
  const query = `select count(*) as count from inbox where dedup_key like 'polled %' and origin <> 'backfill'`
  return sqlite.query<{ count: number }, []>(query).get()!.count
}

/** Whether a webhook was acknowledged; one that was not is sent again, as Refiner does. */
async function isTaken(url: string, body: object): Promise<boolean> {
  try {
    const response = await fetch(`${url}/v1/refiner/acme`, {
      method: 'POST',
      headers: { ...bearer('acme-webhook-secret'), 'content-type': 'application/json' },
      body: JSON.stringify(body),
    })
    return response.status === 200
  } catch {
    return false
  }
}

if (import.meta.main) {
  const { values } = parseArgs({
    options: {
      responses: { type: 'string', default: '1000' },
      kills: { type: 'string', default: '10' },
      seed: { type: 'string', default: '1' },
    },
  })
  const report = await killedBackfill({
    responses: Number(values.responses),
    kills: Number(values.kills),
    seed: Number(values.seed),
  })
  console.log(JSON.stringify(report, null, 2))
  const isWell = [report.lost, report.twice, report.incomplete].every(({ length }) => length === 0)
  process.exit(isWell && report.outOfOrder === 0 ? 0 : 1)
}
