import type { JsonObject, JsonValue } from '../contracts/json.ts'
import { isObject, put } from '../json/objects.ts'
import type { CompiledFields } from './compiled-rules.ts'
import type { Expression } from './expression.ts'
import { failureText } from './failures.ts'
import { FunctionFailed } from './function-failed.ts'
import type { Template } from './template.ts'
import { toJson } from './to-json.ts'

/**
 * Evaluates the parts of a rule, and remembers which one it is at: when one throws, `failure` says which and why, and
 * quotes nothing that was received.
 */
export class Evaluation {
  #part = ''
  #text = ''

  constructor(private readonly variables: object) {}

  /** Whether a condition holds; one that is no condition fails. */
  holds(condition: Expression): boolean {
    const value = this.#evaluate('when', condition)
    if (typeof value !== 'boolean') throw new FunctionFailed('it is neither true nor false')
    return value
  }

  /** @param part of the rule, by its name in the file */
  value(part: string, expression: Expression): JsonValue {
    return toJson(this.#evaluate(part, expression))
  }

  /** The value as a text; null for null, an empty text, or no expression. */
  text(part: string, expression: Expression | null): string | null {
    if (expression === null) return null
    const value = this.value(part, expression)
    if (value === null || value === '') return null
    if (typeof value === 'object') throw new FunctionFailed('a text is needed, not a list or a map')
    return String(value)
  }

  rendered(part: string, template: Template | null): string | null {
    if (template === null) return null
    const text = template.render((expression) => this.#evaluate(part, expression))
    if (text.trim() === '') throw new FunctionFailed('the name is empty')
    return text
  }

  /** Names and their values; null for a name that is to be left out. */
  fields(source: CompiledFields): FieldValues {
    if (source.kind === 'map') {
      const map = this.value(source.part, source.map)
      if (!isObject(map)) throw new FunctionFailed('a map is needed')
      return Object.entries(map).filter(([, value]) => value !== null)
    }
    return source.fields.map(({ part, name, value: expression }) => {
      const value = this.value(part, expression)
      return [name, value === '' ? null : value]
    })
  }

  /** Notes what is done next, for a failure of it. */
  at(part: string): void {
    this.#part = part
    this.#text = ''
  }

  /** What failed and why, in words. */
  failure(error: unknown): string {
    return `${this.#part}: ${failureText(error, this.#text)}`
  }

  #evaluate(part: string, expression: Expression): unknown {
    this.#part = part
    this.#text = expression.text
    return expression.evaluate(this.variables)
  }
}

export type FieldValues = (readonly [name: string, value: JsonValue])[]

/** Writes values over others; null takes a name away. */
export function setFields(values: JsonObject, fields: FieldValues | null): void {
  if (fields === null) return
  for (const [name, value] of fields) {
    if (value === null) delete values[name]
    else put(values, name, value)
  }
}
