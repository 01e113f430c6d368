import { DEFAULTS } from './defaults.ts'
import { LARGEST_FILE } from './load.ts'
import { readSetting } from './read-setting.ts'
import type { Environment } from './reading/interpolate.ts'
import { readText } from './reading/read-text.ts'
import { parseSource } from './reading/source.ts'

/**
 * Reads `server.host` and `server.port` alone: the rest of the file may be wrong, and its secrets need not be set.
 * What cannot be read has its default; port 0 is one that only the daemon knows. Never throws.
 */
export function readServerAddress(file: string, environment: Environment): { host: string; port: number } {
  const read = readText(file, LARGEST_FILE)
  const source = parseSource(file, read.ok ? read.text : '')
  const setting = <T>(key: string, preset: T): T => {
    const found = readSetting(source, ['server', key], environment)
    return found.kind === 'given' ? (found.value as T) : preset
  }
  return { host: setting('host', DEFAULTS.host), port: setting('port', DEFAULTS.port) }
}
