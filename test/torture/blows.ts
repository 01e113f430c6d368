import type { DiskFaults } from '../support/faulty-disk.ts'
import { bearer, until } from '../support/loop.ts'
import type { Ledger } from './ledger.ts'
import { type Aged, isRemoved, makeOlder, type Remains, remainsOf } from './old-rows.ts'
import type { Peers } from './peers.ts'
import type { Chance } from './random.ts'
import type { Senders } from './senders.ts'
import { ADMIN_TOKEN, type Victim } from './victim.ts'

/** In what the daemon is hit: each is one cycle, from its start to its end. */
export type Blow =
  /** `kill -9` while it works. */
  | 'work'
  /** `kill -9` while it starts. */
  | 'start'
  /** `kill -9` while what was given up is replayed. */
  | 'replay'
  /** `kill -9` while it reads its configuration again. */
  | 'reload'
  /** `kill -9` while it removes what is past its retention, or gives back what lies free in the file. */
  | 'retention'
  /** SIGTERM. */
  | 'stop'
  /** `kill -9` while it brings the database of an earlier version up to date. */
  | 'migrate'
  /** `kill -9`, and what was not synced to the disk is lost. */
  | 'power'
  /** The disk fails for a while; then `kill -9`, and what was not synced is lost. */
  | 'disk'

/** The longest that it may take to be well again once the cause of a fault has gone. */
const RECOVERY_MS = 30_000
/** The longest that a cycle waits for acknowledgements. */
const WORK_MS = 1000
const STOP_MS = 12_000
/** The longest that it may take to begin, and to remove what is old. */
const RETENTION_MS = 15_000

const FAULTS: Readonly<Record<string, DiskFaults>> = {
  'write EIO': { write: 'EIO' },
  'fsync EIO': { fsync: 'EIO' },
  'disk full': { write: 'ENOSPC' },
  'read-only': { write: 'EROFS' },
  'slow fsync': { delayMs: 5 },
}

/** What a blow works on. */
export interface Stage {
  readonly victim: Victim
  readonly ledger: Ledger
  readonly senders: Senders
  readonly peers: Peers
  readonly random: Chance
  /** That it acknowledges before a blow, at the most. */
  readonly mostItems: number
  /** Told what a kill within retention left. */
  readonly onRemains: (remains: Remains) => void
}

/** Strikes once; the daemon is gone afterwards. Answers what it did not do as it should; null when all was well. */
export async function strike(blow: Exclude<Blow, 'migrate'>, stage: Stage): Promise<string | null> {
  const { victim, random } = stage
  let aged: Aged | null = null
  if (blow === 'retention') {
    aged = await lieIdle(stage)
    if (aged === null) return 'it did not start'
  }
  victim.start()
  if (blow === 'start') await Bun.sleep(random.between(0, 250))
  else if (!(await startsUp(victim))) return 'it did not start'
  if (blow !== 'start') await works(stage)
  let complaint: string | null = null
  switch (blow) {
    case 'start':
      break
    case 'work':
    case 'power':
      break
    case 'replay':
      void replay(await victim.up()).catch((error: unknown) => {
        if (error instanceof ReplayFailed) complaint = error.message
      })
      await Bun.sleep(random.between(0, 20))
      break
    case 'reload':
      victim.configure({ rate: `${Math.floor(random.between(900, 1000))}/s` })
      victim.signal('SIGHUP')
      await Bun.sleep(random.between(0, 80))
      break
    case 'retention':
      complaint = await stage.senders.slowly(() => removeOldRows(stage, aged!))
      break
    case 'stop':
      return stop(victim)
    case 'disk':
      complaint = await failDisk(victim, random)
      break
  }
  await victim.kill('SIGKILL')
  if (blow === 'power' || blow === 'disk') victim.disk?.powerCut()
  victim.disk?.set({})
  stage.peers.leave(null)
  if (aged === null) return complaint
  const remains = remainsOf(victim.database, aged)
  stage.onRemains(remains)
  return complaint ?? remains.complaint
}

/** The daemon did not do what it should with a replay. */
class ReplayFailed extends Error {}

/**
 * Goes on with the replays that a kill broke off, then replays what was given up, part by part. Rejects with ReplayFailed
 * when the daemon refuses, and with something else when it is killed meanwhile.
 */
export async function replay(url: string): Promise<void> {
  for (const { replay, finished_at: finishedAt } of await call<Replay[]>(url, 'GET', '/api/replays')) {
    if (finishedAt === null) await goOn(url, replay)
  }
  const { replay, finished_at: finishedAt } = await call<Replay>(
    url,
    'POST',
    '/api/deliveries/replay?state=dead',
  )
  if (finishedAt === null) await goOn(url, replay)
}

interface Replay {
  readonly replay: number
  readonly finished_at: string | null
}

async function goOn(url: string, id: number): Promise<void> {
  for (;;) {
    const part = await call<Replay>(url, 'POST', `/api/deliveries/replay?replay=${id}`)
    if (part.finished_at !== null) return
  }
}

async function call<Answer>(url: string, method: string, path: string): Promise<Answer> {
  const response = await fetch(url + path, { method, headers: bearer(ADMIN_TOKEN) })
  // While it stops, or its disk fails, it says so: whoever asks comes back.
  if (response.status === 503) throw new Error('not now')
  if (!response.ok) throw new ReplayFailed(`${method} ${path} was answered ${response.status}`)
  return (await response.json()) as Answer
}

/** Waits until it has acknowledged some more, by chance more or less, and then for a moment by chance. */
async function works({ ledger, random, mostItems }: Stage): Promise<void> {
  const wanted = ledger.acknowledgedCount + Math.floor(random.between(0, mostItems))
  await within(WORK_MS, async () => ledger.acknowledgedCount >= wanted)
  await Bun.sleep(random.between(0, 30))
}

/** Whether it listens, or has been given up; one that ended by itself is told of elsewhere. */
async function startsUp(victim: Victim): Promise<boolean> {
  const crashes = victim.crashes.length
  let isUp = false
  void victim.up().then(() => (isUp = true))
  await until(() => isUp || victim.crashes.length > crashes)
  return isUp
}

/**
 * Lets the last blow's traces be mended, kills it again, and makes the database older. Answers what it had then; null when
 * the daemon did not start.
 */
async function lieIdle(stage: Stage): Promise<Aged | null> {
  const { victim, peers, random } = stage
  // What retention must leave alone has to be there still when it comes by.
  peers.leave(random.pick({ segment: 1, refiner: 1 }))
  victim.start()
  if (!(await startsUp(victim))) return null
  await works(stage)
  await victim.kill('SIGKILL')
  // From here on all is synced: what the disk has not got by now is lost, and SQLite writes the rest anew.
  victim.disk?.powerCut()
  return makeOlder(victim.database)
}

/**
 * Has it look for old rows at once, as it does when their time was changed, and waits until it is at it: two times of
 * three with rows, and else with the file.
 */
async function removeOldRows({ victim, random }: Stage, { first, last }: Aged): Promise<string | null> {
  victim.configure({ keepDelivered: `${Math.floor(random.between(10 * 24, 29 * 24))}h` })
  victim.signal('SIGHUP')
  const isAll = random.next() < 1 / 3
  if (!(await within(RETENTION_MS, async () => isRemoved(victim.database, isAll ? last : first)))) {
    return `retention did not come to ${isAll ? 'its end' : 'its beginning'} within ${RETENTION_MS} ms`
  }
  await Bun.sleep(random.between(0, isAll ? 500 : 300))
  return null
}

async function stop(victim: Victim): Promise<string | null> {
  const late = Bun.sleep(STOP_MS).then(() => 'late' as const)
  const code = await Promise.race([victim.kill('SIGTERM'), late])
  if (code === 0) return null
  if (code === 'late') await victim.kill('SIGKILL')
  return code === 'late' ? `it did not stop within ${STOP_MS} ms` : `it stopped with exit code ${code}`
}

/** Lets the disk fail; half of the time it gets well again before the daemon is killed. */
async function failDisk(victim: Victim, random: Chance): Promise<string | null> {
  const url = await victim.up()
  const name = random.pick({
    'write EIO': 1,
    'fsync EIO': 2,
    'disk full': 1,
    'read-only': 1,
    'slow fsync': 1,
  })
  victim.disk?.set(FAULTS[name]!)
  if (name === 'slow fsync') {
    await Bun.sleep(random.between(50, 250))
    return null
  }
  const isDown = async () => (await fetch(`${url}/health`)).status === 503
  const isUp = async () => !(await isDown())
  if (!(await within(RECOVERY_MS, isDown))) return `${name}: /health did not say that anything is wrong`
  await Bun.sleep(random.between(0, 60))
  if (random.next() < 0.5) return null
  victim.disk?.set({})
  if (!(await within(RECOVERY_MS, isUp))) return `${name}: not well again within ${RECOVERY_MS} ms`
  await Bun.sleep(random.between(5, 100))
  return null
}

async function within(ms: number, holds: () => Promise<boolean>): Promise<boolean> {
  try {
    await until(holds, AbortSignal.timeout(ms))
    return true
  } catch {
    return false
  }
}
