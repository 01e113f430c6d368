import { Value } from '@sinclair/typebox/value'
import { dirname, resolve } from 'node:path'
import { isAlias, isScalar } from 'yaml'
import { DEFAULTS } from './defaults.ts'
import { LARGEST_FILE } from './load.ts'
import type { Environment } from './reading/interpolate.ts'
import { readText } from './reading/read-text.ts'
import { readScalar, runsOn } from './reading/scalars.ts'
import { parseSource, type Source } from './reading/source.ts'
import { ConfigurationFile } from './schema.ts'
import { schemaOfKey } from './schema-steps.ts'

/**
 * Reads `server.host` and `server.port` alone: the rest of the file may be wrong, and its secrets need not be set.
 * What cannot be read has its default; port 0 is one that only the daemon knows. Never throws.
 */
export function readServerAddress(file: string, environment: Environment): { host: string; port: number } {
  const read = readText(file, LARGEST_FILE)
  const source = parseSource(file, read.ok ? read.text : '')
  const setting = (key: string) => readSetting(source, key, environment)
  return {
    host: (setting('host') as string | null) ?? DEFAULTS.host,
    port: (setting('port') as number | null) ?? DEFAULTS.port,
  }
}

/** The value, of the kind that the schema asks for; null when there is none. */
function readSetting({ file, text, document }: Source, key: string, environment: Environment): unknown {
  const node = document.getIn(['server', key], true)
  const scalar = isAlias(node) ? node.resolve(document) : node
  const schema = schemaOfKey(schemaOfKey(ConfigurationFile, 'server'), key)!
  if (!isScalar(scalar)) return null
  const [start, end] = scalar.range!
  const isBroken = document.errors.some(({ pos: [at] }) => at >= start && at <= end)
  if (isBroken || runsOn(scalar, text.slice(start, end))) return null
  const { value, problems } = readScalar(scalar, schema, { environment, folder: dirname(resolve(file)) })
  return problems.length === 0 && Value.Check(schema, value) ? value : null
}
