import { resolve } from 'node:path'
import type { Configuration } from '../contracts/configuration.ts'
import { checkAmounts } from './checks/amounts.ts'
import { checkDatabase } from './checks/database.ts'
import { checkDestinationKeys } from './checks/destination-keys.ts'
import { checkDirections } from './checks/directions.ts'
import { checkEndpoints } from './checks/endpoints.ts'
import { checkPlugins } from './checks/plugins.ts'
import { checkSecrets } from './checks/secrets.ts'
import { checkSegments } from './checks/segments.ts'
import type { Sheet } from './checks/sheet.ts'
import { checkTenantRules } from './checks/tenant-rules.ts'
import { checkTests } from './checks/tests.ts'
import { checkWeakSecrets } from './checks/weak-secrets.ts'
import { checkUnseenSurveys, type SeenSurveys } from './checks/unseen-surveys.ts'
import { checkPrivacy } from './checks/privacy.ts'
import { checkWebhooks } from './checks/webhooks.ts'
import type { Mistake } from './mistake.ts'
import { type DocumentKind, mistakesOf, readDocument } from './read-document.ts'
import { readPresets } from './read-presets.ts'
import type { Environment } from './reading/interpolate.ts'
import { readText } from './reading/read-text.ts'
import { parseSource } from './reading/source.ts'
import { resolveConfiguration } from './resolve.ts'
import { ConfigurationFile } from './schema.ts'
import { error, type Finding } from './telling/finding.ts'
import { toMistakes } from './telling/to-mistakes.ts'

/** What reading a refiner-sync.yaml came to. Warnings are told in both cases and refuse nothing. */
export type Loaded =
  | { readonly ok: true; readonly configuration: Configuration; readonly warnings: Mistake[] }
  | {
      readonly ok: false
      readonly mistakes: Mistake[]
      readonly warnings: Mistake[]
      /** As `Configuration.files`, as far as they are known; some may not exist. */
      readonly files: readonly string[]
    }

export type { SeenSurveys } from './checks/unseen-surveys.ts'
export type { Environment } from './reading/interpolate.ts'

/** Bytes of a configuration that is read at all: a thousand tenants fit into a quarter of it. */
export const LARGEST_FILE = 4 * 1024 * 1024

/**
 * Reads the configuration from a file. Every mistake is reported at once, in the order of the file; only YAML that
 * cannot be parsed hides the mistakes behind it. Never throws for what is in the file or in its way.
 *
 * @param file as messages shall name it; relative paths in the file start from its folder
 * @param environment where `${NAME}` is looked up
 * @param seenSurveys asked to warn of patterns that fit nothing; null warns of none
 */
export function loadConfiguration(
  file: string,
  environment: Environment,
  seenSurveys: SeenSurveys | null = null,
): Loaded {
  const read = readText(file, LARGEST_FILE)
  if (read.ok) return readConfiguration({ file, text: read.text, environment, seenSurveys })
  const code = read.kind === 'not_text' ? 'file_not_text' : 'file_unreadable'
  const message = `cannot read the configuration ${resolve(file)}: ${read.reason}`
  const hint = 'name another with --config, or try `refiner-sync demo`'
  return refused(toMistakes(parseSource(file, ''), [error(code, 0, message, hint)], []), [resolve(file)])
}

/** Reads a configuration from text in memory, as `loadConfiguration` does from a file of that name. */
export function readConfiguration({
  file,
  text,
  environment,
  seenSurveys = null,
}: {
  file: string
  text: string
  environment: Environment
  seenSurveys?: SeenSurveys | null
}): Loaded {
  const document = readDocument({ file, text, environment }, CONFIGURATION)
  const { sheet } = document
  const own = [resolve(file), ...document.secretFiles]
  if (sheet === null) return refused(mistakesOf(document, []), own)

  const { presets, ...ofPresets } = readPresets(sheet)
  const files = [...new Set([...own, ...ofPresets.files])]
  const findings = CHECKS.flatMap((check) => check(sheet))
  const ofRules = checkTenantRules(sheet, presets)
  const told = [
    ...mistakesOf(document, [...findings, ...ofPresets.findings, ...ofRules]),
    ...ofPresets.mistakes,
  ]
  if (told.some(({ severity }) => severity === 'error')) return refused(told, files)
  const configuration = resolveConfiguration(sheet, presets, files)
  if (seenSurveys === null) return { ok: true, configuration, warnings: told }
  const unseen = checkUnseenSurveys(sheet, configuration, seenSurveys)
  return {
    ok: true,
    configuration,
    warnings: [...told, ...toMistakes(document.source, unseen, document.shown)],
  }
}

/** What the schema cannot say. Each looks only at values that have no mistake so far. */
const CHECKS: readonly ((sheet: Sheet) => Finding[])[] = [
  checkSecrets,
  checkWeakSecrets,
  checkDestinationKeys,
  checkEndpoints,
  checkWebhooks,
  checkPrivacy,
  checkSegments,
  checkDirections,
  checkAmounts,
  checkDatabase,
  checkPlugins,
  (sheet) => checkTests(sheet, sheet.tenants()),
]

const CONFIGURATION: DocumentKind = {
  schema: ConfigurationFile,
  what: 'the configuration',
  example:
    'the smallest file that works, once your keys are in it: ' +
    '`tenants: { acme: { refiner: { api_key: API_KEY, webhook: { secret: THE_SECRET_OF_THE_WEBHOOK } }, ' +
    'segment: { write_key: WRITE_KEY, region: us, destination_keys: [A_KEY_THAT_YOU_MAKE_UP] } } }`',
}

function refused(told: readonly Mistake[], files: readonly string[]): Loaded {
  return {
    ok: false,
    mistakes: told.filter(({ severity }) => severity === 'error'),
    warnings: told.filter(({ severity }) => severity === 'warning'),
    files,
  }
}
