import type { JsonObject, JsonValue } from '../contracts/json.ts'

/** Words that YAML, or a reader of an older YAML, takes for something else than text. */
const NO_TEXT = /^(?:true|false|null|yes|no|on|off|y|n|~)$/i

/** A text as a value of refiner-sync.yaml; a `${` in it stays one. */
export function yamlText(text: string): string {
  return scalar(text.replaceAll('${', () => '$${'))
}

/** A text as a key. */
export function yamlKey(text: string): string {
  return scalar(text)
}

function scalar(text: string): string {
  if (/^[A-Za-z][\w-]*(?: [A-Za-z][\w-]*)*$/.test(text) && !NO_TEXT.test(text)) return text
  // oxlint-disable-next-line no-control-regex
  if (/[\u0000-\u001f\u007f-\u009f\u2028\u2029\ufeff\ud800-\udfff]/.test(text)) return JSON.stringify(text)
  return `'${text.replaceAll("'", "''")}'`
}

/** An object as lines of YAML, indented by so many spaces. */
export function yamlLines(object: JsonObject, indent: number): string[] {
  const blank = ' '.repeat(indent)
  return Object.entries(object).flatMap(([name, value]) => {
    if (isFilled(value)) return [`${blank}${yamlKey(name)}:`, ...yamlLines(value, indent + 2)]
    return [`${blank}${yamlKey(name)}: ${flow(value)}`]
  })
}

/** A value on one line. */
function flow(value: JsonValue): string {
  if (typeof value === 'string') return yamlText(value)
  if (Array.isArray(value)) return `[${value.map(flow).join(', ')}]`
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  const entries = Object.entries(value).map(([name, inner]) => `${yamlKey(name)}: ${flow(inner)}`)
  return entries.length === 0 ? '{}' : `{ ${entries.join(', ')} }`
}

function isFilled(value: JsonValue): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && Object.keys(value).length > 0
}
