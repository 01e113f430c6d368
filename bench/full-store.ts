import {
  closeSync,
  copyFileSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { databaseIn } from './daemon.ts'
import type { Filling } from './fill.ts'
import { runProgram, temporaryFolder } from './processes.ts'

/** Databases that take long to fill are kept from run to run, and copied for each that works on one. */
const KEPT = join(tmpdir(), 'refiner-sync-bench-kept')
const STORE = join(import.meta.dir, '..', 'src', 'store')

/** The tenant whose rows they are. */
export const FULL_TENANT = 'full'

export const MANY = 1_000_000
/** Rows that are over, of each kind, where `history` is asked for. */
const OVER = 60_000

export interface Full {
  /** Deliveries that wait. */
  readonly pending: number
  /** Whether there are delivered and dead ones besides. */
  readonly history: boolean
}

/** A folder, to be given to a daemon and then removed, with a database that holds what is asked for. */
export async function fullFolder({ pending, history }: Full, say: (text: string) => void): Promise<string> {
  const name = `${pending}${history ? '-and-history' : ''}`
  const kept = join(KEPT, `${name}-${sourcesHash()}.db`)
  mkdirSync(KEPT, { recursive: true })
  if (!readdirSync(KEPT).some((file) => kept.endsWith(file))) {
    say(`filling a database with ${pending.toLocaleString('en-US')} waiting rows, once …`)
    for (const old of readdirSync(KEPT)) if (old.startsWith(`${name}-`)) rmSync(join(KEPT, old))
    const path = join(KEPT, `.${process.pid}.db`)
    const over = history ? OVER : 0
    const filling: Filling = { path, tenant: FULL_TENANT, pending, dead: over, delivered: over }
    await runProgram('fill', filling)
    rmSync(`${path}.lock`, { force: true })
    renameSync(path, kept)
  }
  const folder = temporaryFolder()
  copySynced(kept, databaseIn(folder))
  return folder
}

/** What the disk still had to write would slow down what is measured next. */
function copySynced(from: string, to: string): void {
  mkdirSync(dirname(to), { recursive: true })
  copyFileSync(from, to)
  const file = openSync(to, 'r+')
  fsyncSync(file)
  closeSync(file)
}

/** Changes with the tables, and with what fills them. */
function sourcesHash(): string {
  const hash = new Bun.CryptoHasher('sha1')
  const migrations = readdirSync(join(STORE, 'migrations')).toSorted()
  for (const file of migrations) hash.update(readFileSync(join(STORE, 'migrations', file)))
  hash.update(readFileSync(join(import.meta.dir, 'fill.ts')))
  hash.update(readFileSync(join(import.meta.dir, 'messages.ts')))
  return hash.digest('hex').slice(0, 12)
}
