import {
  closeSync,
  existsSync,
  fstatSync,
  fsyncSync,
  openSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
} from 'node:fs'
import { dirname } from 'node:path'
import { runDatabaseTask } from './database-thread.ts'
import type { Inspection } from './verify.ts'

/** How far a backup is. */
export interface BackupProgress {
  readonly doing: 'copying' | 'checking'
  /** Bytes of the copy so far. */
  readonly written: number
  /** Bytes of the database: the copy may be smaller, but for what is in the -wal it is not larger. */
  readonly whole: number
}

export interface BackupOptions {
  readonly path: string
  /** Where the copy goes. */
  readonly to: string
  /** Whether a file that is there may be replaced. */
  readonly force: boolean
  readonly signal: AbortSignal
  readonly onProgress: (progress: BackupProgress) => void
}

const PROGRESS_EVERY_MS = 100

/**
 * Makes a consistent copy of a database, while a daemon works on it or not, and checks it. Under the name `to` there is
 * either what was there before or the whole copy, on the disk: it is made as `<to>.part`. Rejects with what to do when
 * it cannot be made, and leaves nothing then.
 */
export async function backUp(options: BackupOptions): Promise<{ inspection: Inspection; bytes: number }> {
  const { path, to, signal, onProgress } = options
  refuseUnfit(options)
  const part = `${to}.part`
  // One that was left by a backup that was killed.
  rmSync(part, { force: true })
  if (!existsSync(dirname(part))) throw new Error(`the folder ${dirname(part)} does not exist; make it first`)
  const file = openSync(part, 'wx', 0o600)
  const written = () => fstatSync(file).size
  let doing: BackupProgress['doing'] = 'copying'
  const whole = statSync(path).size
  const ticking = setInterval(() => onProgress({ doing, written: written(), whole }), PROGRESS_EVERY_MS)
  try {
    const copied = await runDatabaseTask({ kind: 'copy', path, to: part }, signal)
    if (!copied.ok) throw new Error(`copying the database: ${copied.why}`)
    fsyncSync(file)
    doing = 'checking'
    const checked = await runDatabaseTask({ kind: 'inspect', path: part, unchanging: true }, signal)
    if (!checked.ok) throw new Error(`checking the copy: ${checked.why}`)
    const inspection = checked.inspection!
    if (inspection.contents === null) {
      throw new Error(`the copy is not good: ${inspection.problems[0]?.message}`)
    }
    refuseUnfit(options)
    if (statSync(part).ino !== fstatSync(file).ino) {
      throw new Error(`another backup writes to ${part}: make one at a time`)
    }
    renameSync(part, to)
    syncFolder(dirname(to))
    return { inspection, bytes: written() }
  } catch (error) {
    if (isOurs(part, file)) rmSync(part, { force: true })
    throw error
  } finally {
    clearInterval(ticking)
    closeSync(file)
  }
}

function refuseUnfit({ path, to, force }: BackupOptions): void {
  if (!existsSync(path)) {
    throw new Error(`there is no database ${path}: the daemon makes it at its first start`)
  }
  if (!existsSync(to)) return
  if (!force) throw new Error(`${to} is there already: choose another name, or give --force to replace it`)
  const target = statSync(to)
  if (!target.isFile()) throw new Error(`${to} is no file`)
  if (realpathSync(to) === realpathSync(path)) throw new Error(`${to} is the database itself`)
}

function isOurs(part: string, file: number): boolean {
  return existsSync(part) && statSync(part).ino === fstatSync(file).ino
}

/** The name is on the disk only with the folder that holds it. */
function syncFolder(folder: string): void {
  const handle = openSync(folder, 'r')
  try {
    fsyncSync(handle)
  } finally {
    closeSync(handle)
  }
}
