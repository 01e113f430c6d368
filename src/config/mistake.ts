import type { RuleProblemCode } from '../contracts/rules.ts'

/**
 * What is wrong with refiner-sync.yaml, told to the engineer who will mend it.
 */

/** Stable: tests, scripts and documentation refer to these. */
export type MistakeCode =
  // the file
  | 'file_unreadable'
  | 'file_not_text'
  | 'empty_file'
  | 'not_a_mapping'
  // YAML
  | 'yaml_syntax'
  | 'yaml_too_complex'
  | 'yaml_feature'
  | 'unknown_alias'
  | 'bad_key'
  | 'duplicate_key'
  | 'multiline_value'
  | 'unquoted_expression'
  // ${NAME} and ${file:PATH}
  | 'bad_reference'
  | 'missing_variable'
  | 'unreadable_secret_file'
  // shape
  | 'unknown_key'
  | 'bad_tenant_name'
  | 'bad_plugin_name'
  | 'missing_key'
  | 'wrong_type'
  | 'unquoted_secret'
  | 'empty_value'
  | 'not_one_of'
  | 'bad_duration'
  | 'bad_size'
  | 'bad_rate'
  | 'bad_database'
  | 'out_of_range'
  | 'duplicate_item'
  // meaning
  | 'bad_secret'
  | 'weak_secret'
  | 'duplicate_destination_key'
  | 'region_and_endpoint'
  | 'region_not_said'
  | 'bad_endpoint'
  | 'insecure_endpoint'
  | 'database_not_writable'
  | 'bad_webhook_name'
  | 'pointless_webhook_setting'
  | 'backoff_order'
  | 'short_give_up'
  | 'no_effect'
  | 'unseen_survey'
  | 'unlikely_name'
  // presets, rules and tests
  | 'unknown_preset'
  | 'preset_unreadable'
  | 'duplicate_rule'
  | 'duplicate_segment'
  | RuleProblemCode
  | 'unknown_tenant'
  | 'input_unreadable'
  | 'large_input'
  | 'no_expectation'
  | 'expectation_conflict'
  // plugins
  | 'unknown_plugin'
  | 'bad_host'
  | 'plugin_unreadable'
  | 'plugin_syntax'
  | 'plugin_import'
  | 'plugin_no_default_export'
  | 'plugin_load_failed'

export interface Mistake {
  readonly code: MistakeCode
  /** An error refuses the file, a warning does not. */
  readonly severity: 'error' | 'warning'
  /** What is wrong. Never holds a secret, nor anything that a `${…}` stood for. */
  readonly message: string
  /** What would be right. */
  readonly hint: string | null
  /** As it was given to the loader. */
  readonly file: string
  /** From 1. */
  readonly line: number
  /** From 1, in UTF-16 units as editors count; a tab is one. */
  readonly column: number
  /** The source line with every secret masked; null when there is no line to show. */
  readonly excerpt: string | null
  /** Where `column` is within `excerpt`, from 1: masks are shorter or longer than what they hide. */
  readonly caret: number
}

/** The mistake as a compiler would print it: place and message, the source line with a caret, and the hint. */
export function formatMistake(mistake: Mistake): string {
  const { file, line, column, severity, message, hint } = mistake
  const lines = [`${file}:${line}:${column}: ${severity}: ${message}`, ...pointAt(mistake)]
  if (hint !== null) lines.push(`  ${hint}`)
  return lines.join('\n')
}

function pointAt({ line, excerpt, caret }: Mistake): string[] {
  if (excerpt === null) return []
  const gutter = `  ${line} | `
  const blank = `${' '.repeat(gutter.length - 2)}| `
  return [gutter + excerpt, `${blank}${paddingOf(excerpt.slice(0, caret - 1))}^`]
}

/** As wide as the text on a terminal: tabs stay tabs, and a wide character counts two. */
function paddingOf(text: string): string {
  return text
    .split('\t')
    .map((part) => ' '.repeat(Bun.stringWidth(part)))
    .join('\t')
}
