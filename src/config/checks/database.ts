import { accessSync, closeSync, constants, openSync, rmSync, statSync, type Stats } from 'node:fs'
import { randomUUID } from 'node:crypto'
import { dirname, join } from 'node:path'
import { databasePath } from '../database-path.ts'
import { DEFAULTS } from '../defaults.ts'
import { error, type Finding } from '../telling/finding.ts'
import { reasonOf } from '../reading/read-text.ts'
import type { Sheet } from './sheet.ts'

/**
 * The database must be a file that can be written, and so must its folder or the nearest one that exists: SQLite puts
 * its journal beside the file. A temporary file is really made, for permissions alone do not tell of a read-only disk.
 */
export function checkDatabase(sheet: Sheet): Finding[] {
  const place = sheet.place('database')
  if (place === null && sheet.has('database')) return []
  const setting = place === null ? DEFAULTS.database : String(place.value)
  const at = place?.valueAt ?? sheet.nearestKey('database')
  const spelling = spellingProblem(setting)
  if (spelling !== null) return [error('bad_database', at, `\`database\` ${spelling}`, HINT)]
  const path = databasePath(setting, sheet.folder)
  const problem = writingProblem(path)
  if (problem === null) return []
  const file = place?.references.length ? '' : ` ${path}`
  return [error('database_not_writable', at, `the database file${file} cannot be written: ${problem}`, HINT)]
}

const HINT = 'such as `sqlite://./data/refiner-sync.db`, relative to this file'

function spellingProblem(setting: string): string | null {
  const path = setting.slice('sqlite://'.length)
  if (path.startsWith(':')) return 'must be a file: what is only in memory is lost with the process'
  if (path.startsWith('~')) return 'must not start with `~`: only a shell knows that folder'
  if (/[?#\0]/.test(path)) return 'takes no parameters'
  return /[/\\]$/.test(path) ? 'must name a file, not a folder' : null
}

function writingProblem(path: string): string | null {
  try {
    const file = statOrNull(path)
    if (file !== null && !file.isFile()) return 'there is something else than a file'
    if (file !== null) accessSync(path, constants.R_OK | constants.W_OK)
    return tryFolder(nearestExisting(dirname(path)))
  } catch (cause) {
    return reasonOf(cause)
  }
}

function tryFolder(folder: string): string | null {
  if (!statSync(folder).isDirectory()) return 'a part of its path is not a folder'
  const probe = join(folder, `.refiner-sync-${randomUUID()}`)
  closeSync(openSync(probe, 'wx'))
  rmSync(probe)
  return null
}

function nearestExisting(folder: string): string {
  return statOrNull(folder) !== null || folder === dirname(folder) ? folder : nearestExisting(dirname(folder))
}

function statOrNull(path: string): Stats | null {
  return statSync(path, { throwIfNoEntry: false }) ?? null
}
