import { dirname, resolve } from 'node:path'
import { databasePath } from './database-path.ts'
import { DEFAULTS } from './defaults.ts'
import { LARGEST_FILE } from './load.ts'
import { readSetting } from './read-setting.ts'
import type { Environment } from './reading/interpolate.ts'
import { readText } from './reading/read-text.ts'
import { parseSource } from './reading/source.ts'

/**
 * Reads `database` alone and answers its absolute path: the rest of the file may be wrong, and its secrets need not be
 * set. Throws when the file or the setting cannot be read: a guess might name another database.
 */
export function readDatabaseAddress(file: string, environment: Environment): string {
  const read = readText(file, LARGEST_FILE)
  if (!read.ok) throw new Error(`reading ${file}: ${read.reason}`)
  const found = readSetting(parseSource(file, read.text), ['database'], environment)
  if (found.kind === 'unreadable') {
    throw new Error(`${file}: \`database\` cannot be read; \`refiner-sync check\` says why`)
  }
  const setting = found.kind === 'given' ? String(found.value) : DEFAULTS.database
  return databasePath(setting, dirname(resolve(file)))
}
