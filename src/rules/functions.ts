import { createHmac } from 'node:crypto'
import type { Environment } from '@marcbachmann/cel-js'
import { formatDate, momentOf } from './dates.ts'
import { isMissing } from './failures.ts'
import { FunctionFailed } from './function-failed.ts'
import { LINEAR_MATCHES, matchesLinear } from './linear-matches.ts'
import { toJson } from './to-json.ts'

/** The functions that rules have beyond CEL's own. docs/mapping.md lists them for users. */
export function registerFunctions(environment: Environment): Environment {
  environment
    .registerFunction('lower(string): string', (text: string) => text.toLowerCase())
    .registerFunction('upper(string): string', (text: string) => text.toUpperCase())
    .registerFunction('trim(string): string', (text: string) => text.trim())
    .registerFunction('slug(string): string', slug)
    .registerFunction('string.replace(string, string): string', (text: string, from: string, to: string) =>
      text.replaceAll(from, () => to),
    )
    .registerFunction(`string.${LINEAR_MATCHES}(string): bool`, matchesLinear)
    .registerFunction('hash(dyn): string', (value: unknown) => Bun.SHA256.hash(asText(value), 'hex'))
    .registerFunction('hash(dyn, string): string', (value: unknown, key: string) =>
      createHmac('sha256', key).update(asText(value)).digest('hex'),
    )
    .registerFunction('text(dyn): string', asText)
    .registerFunction('number(dyn): double', asNumber)
    .registerFunction('list(dyn): list<dyn>', asList)
    .registerFunction('join(list, string): string', (items: unknown[], between: string) =>
      items
        .filter((item) => item !== null)
        .map(asText)
        .join(between),
    )
    .registerFunction('compact(map): map<string, dyn>', compact)
    .registerFunction(
      'merge(map, map): map<string, dyn>',
      (under: object, over: object) => new Map([...entriesOf(under), ...entriesOf(over)]),
    )
    .registerFunction('nps_category(dyn): string', npsCategory)
    .registerFunction('date(dyn): string', (value: unknown) => moment(value).toISOString().slice(0, 10))
    .registerFunction('format_date(dyn, string): string', (value: unknown, pattern: string) =>
      formatDate(moment(value), pattern, 'UTC'),
    )
    .registerFunction(
      'format_date(dyn, string, string): string',
      (value: unknown, pattern: string, zone: string) => formatDate(moment(value), pattern, zone),
    )
    .registerFunction('default(ast, ast): dyn', defaultMacro)
  // JSON has one kind of number, CEL several: without these `answers.seats + 1` would have no meaning.
  for (const operator of ['+', '-', '*', '/'] as const) {
    environment
      .registerOperator(`double ${operator} int`, (a: number, b: bigint) => calculate(operator, a, Number(b)))
      .registerOperator(`int ${operator} double`, (a: bigint, b: number) => calculate(operator, Number(a), b))
  }
  return environment
}

/** `What is your job role?` becomes `what_is_your_job_role`, as Refiner names its questions. */
function slug(text: string): string {
  return text
    .normalize('NFKD')
    .replaceAll(/\p{M}/gu, '')
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}]+/gu, '_')
    .replaceAll(/^_+|_+$/g, '')
}

/** From 0 to 6, 7 and 8, 9 and 10: https://www.netpromoter.com/know/ */
export function npsCategory(value: unknown): 'detractor' | 'passive' | 'promoter' {
  const score = npsScore(value)
  if (score === null) throw new FunctionFailed('nps_category() needs a whole number from 0 to 10')
  if (score <= 6) return 'detractor'
  return score <= 8 ? 'passive' : 'promoter'
}

/** The score as a number; null when the value is none. */
export function npsScore(value: unknown): number | null {
  const isOne = typeof value === 'string' || typeof value === 'number' || typeof value === 'bigint'
  const text = isOne ? String(value).trim() : ''
  return /^(\d|10)$/.test(text) ? Number(text) : null
}

function moment(value: unknown): Date {
  const found = momentOf(value)
  if (found === null) throw new FunctionFailed('the value is no date')
  return found
}

function asText(value: unknown): string {
  const json = toJson(value)
  if (typeof json === 'string') return json
  if (Array.isArray(json)) {
    const known = json.filter((item) => item !== null)
    if (known.every((item) => typeof item !== 'object')) return known.join(', ')
  }
  return json === null ? '' : JSON.stringify(json)
}

function asNumber(value: unknown): number {
  const text = typeof value === 'string' ? value.trim() : value
  const isOne =
    typeof text === 'number' || typeof text === 'bigint' || (typeof text === 'string' && text !== '')
  const number = isOne ? Number(text) : Number.NaN
  if (!Number.isFinite(number)) throw new FunctionFailed('number() was given something that is no number')
  return number
}

function asList(value: unknown): unknown[] {
  if (Array.isArray(value)) return value
  return value === null ? [] : [value]
}

/** As a Map, which CEL knows as one whatever names it has. */
function compact(map: object): ReadonlyMap<unknown, unknown> {
  return new Map([...entriesOf(map)].filter(([, value]) => value !== null))
}

function entriesOf(map: object): Iterable<[unknown, unknown]> {
  return map instanceof Map ? map : Object.entries(map)
}

function calculate(operator: '+' | '-' | '*' | '/', a: number, b: number): number {
  switch (operator) {
    case '+':
      return a + b
    case '-':
      return a - b
    case '*':
      return a * b
    case '/':
      return a / b
  }
}

interface Runner {
  check(ast: unknown, context: unknown): unknown
  run(ast: unknown, context: unknown): unknown
}

/** `default(a, b)`: b where a is null, an empty text, or does not exist. A macro, for a function gets values only. */
function defaultMacro({ args }: { args: readonly unknown[] }) {
  const [value, otherwise] = args
  return {
    typeCheck(checker: Runner, _macro: unknown, context: unknown) {
      const type = checker.check(value, context)
      const other = checker.check(otherwise, context)
      return type === other ? type : (checker as unknown as { dynType: unknown }).dynType
    },
    evaluate(evaluator: Runner, _macro: unknown, context: unknown) {
      try {
        const found = evaluator.run(value, context)
        if (found !== null && found !== '') return found
      } catch (error) {
        if (!isMissing(error)) throw error
      }
      return evaluator.run(otherwise, context)
    },
  }
}
