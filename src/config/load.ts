import { dirname, resolve } from 'node:path'
import { isMap, isScalar } from 'yaml'
import type { Configuration } from '../contracts/configuration.ts'
import { checkAmounts } from './checks/amounts.ts'
import { checkDatabase } from './checks/database.ts'
import { checkDestinationKeys } from './checks/destination-keys.ts'
import { checkDirections } from './checks/directions.ts'
import { checkEndpoints } from './checks/endpoints.ts'
import { checkNotAvailable } from './checks/not-available.ts'
import { checkSecrets } from './checks/secrets.ts'
import { checkWebhooks } from './checks/webhooks.ts'
import { excerptAt, type Shown } from './telling/excerpt.ts'
import { error, type Finding } from './telling/finding.ts'
import type { Mistake } from './mistake.ts'
import { readPlaces } from './reading/read-places.ts'
import { readText } from './reading/read-text.ts'
import { resolveConfiguration } from './resolve.ts'
import type { ConfigurationFile } from './schema.ts'
import { checkShape } from './checks/shape.ts'
import { Sheet } from './checks/sheet.ts'
import { parseSource, type Source } from './reading/source.ts'
import { checkSyntax } from './reading/yaml-syntax.ts'

/** What reading a refiner-sync.yaml came to. Warnings are told in both cases and refuse nothing. */
export type Loaded =
  | { readonly ok: true; readonly configuration: Configuration; readonly warnings: Mistake[] }
  | { readonly ok: false; readonly mistakes: Mistake[]; readonly warnings: Mistake[] }

export type Environment = Readonly<Record<string, string | undefined>>

/** Bytes of a configuration that is read at all: a thousand tenants fit into a quarter of it. */
export const LARGEST_FILE = 4 * 1024 * 1024

/**
 * Reads the configuration from a file. Every mistake is reported at once, in the order of the file; only YAML that
 * cannot be parsed hides the mistakes behind it. Never throws for what is in the file or in its way.
 *
 * @param file as messages shall name it; relative paths in the file start from its folder
 * @param environment where `${NAME}` is looked up
 */
export function loadConfiguration(file: string, environment: Environment): Loaded {
  const read = readText(file, LARGEST_FILE)
  if (read.ok) return readConfiguration({ file, text: read.text, environment })
  const code = read.kind === 'not_text' ? 'file_not_text' : 'file_unreadable'
  const message = `cannot read the configuration ${resolve(file)}: ${read.reason}`
  const hint = 'name another with --config, or try `refiner-sync demo`'
  return refused(parseSource(file, ''), [error(code, 0, message, hint)], [])
}

/** Reads a configuration from text in memory, as `loadConfiguration` does from a file of that name. */
export function readConfiguration({
  file,
  text,
  environment,
}: {
  file: string
  text: string
  environment: Environment
}): Loaded {
  const source = parseSource(file, text)
  const folder = dirname(resolve(file))
  const syntax = checkSyntax(source)
  if (syntax.length > 0) return refused(source, syntax, [])
  const wrongRoot = checkRoot(source)
  if (wrongRoot !== null) return refused(source, [wrongRoot], [])

  const reading = readPlaces(source, { environment, folder })
  const tooComplex = reading.findings.filter(({ code }) => code === 'yaml_too_complex')
  if (tooComplex.length > 0) return refused(source, tooComplex, reading.shown)

  const shape = checkShape(reading)
  const sheet = new Sheet(reading, shape.rejected, folder)
  const findings = [...reading.findings, ...shape.findings, ...CHECKS.flatMap((check) => check(sheet))]
  if (findings.some(({ severity }) => severity === 'error')) return refused(source, findings, reading.shown)
  const configuration = resolveConfiguration(reading.value as ConfigurationFile, folder, sheet.tenants())
  return { ok: true, configuration, warnings: toMistakes(source, findings, reading.shown) }
}

/** What the schema cannot say. Each looks only at values that have no mistake so far. */
const CHECKS: readonly ((sheet: Sheet) => Finding[])[] = [
  checkSecrets,
  checkDestinationKeys,
  checkEndpoints,
  checkWebhooks,
  checkDirections,
  checkAmounts,
  checkDatabase,
  checkNotAvailable,
]

function checkRoot({ document: { contents } }: Source): Finding | null {
  if (isMap(contents)) return null
  if (contents === null || (isScalar(contents) && contents.value === null)) {
    return error('empty_file', 0, 'the configuration is empty', SMALLEST)
  }
  return error(
    'not_a_mapping',
    contents.range[0],
    'the configuration must be a mapping, `key: value`',
    SMALLEST,
  )
}

const SMALLEST =
  'the smallest file that works, once your keys are in it: ' +
  '`tenants: { acme: { refiner: { api_key: API_KEY, webhook: { secret: WEBHOOK_SECRET } }, ' +
  'segment: { write_key: WRITE_KEY, destination_keys: [A_KEY_THAT_YOU_MAKE_UP] } } }`'

function refused(source: Source, findings: readonly Finding[], shown: readonly Shown[]): Loaded {
  const all = toMistakes(source, findings, shown)
  return {
    ok: false,
    mistakes: all.filter(({ severity }) => severity === 'error'),
    warnings: all.filter(({ severity }) => severity === 'warning'),
  }
}

function toMistakes(source: Source, findings: readonly Finding[], shown: readonly Shown[]): Mistake[] {
  return findings.toSorted((a, b) => a.offset - b.offset).map((finding) => toMistake(source, finding, shown))
}

/** An offset beyond the last sign, where an unclosed bracket is noticed, is shown at that sign. */
function toMistake(source: Source, finding: Finding, shown: readonly Shown[]): Mistake {
  const { offset: found, ...rest } = finding
  const offset = Math.min(found, source.text.trimEnd().length)
  const { line, col } = source.lines.linePos(offset)
  const excerpt = excerptAt(source, offset, shown)
  return {
    ...rest,
    file: source.file,
    line: Math.max(1, line),
    column: Math.max(1, col),
    excerpt: excerpt?.text ?? null,
    caret: excerpt?.caret ?? 1,
  }
}
