import type { JsonValue } from '../contracts/json.ts'
import type { CastType } from '../contracts/rules.ts'
import { momentOf } from './dates.ts'
import { FunctionFailed } from './function-failed.ts'

/** A value as another type. Throws FunctionFailed when it is no such thing. */
export function castValue(value: JsonValue, type: CastType): JsonValue {
  switch (type) {
    case 'number':
      return castNumber(value)
    case 'boolean':
      return castBoolean(value)
    case 'date': {
      const moment = momentOf(value)
      if (moment === null) throw new FunctionFailed('the value is no date')
      return moment.toISOString()
    }
    case 'list':
      return castList(value)
  }
}

function castNumber(value: JsonValue): number {
  if (typeof value === 'number') return value
  const text = typeof value === 'string' ? value.trim() : ''
  const number = Number(text)
  if (text === '' || !Number.isFinite(number)) throw new FunctionFailed('the value is no number')
  return number
}

function castBoolean(value: JsonValue): boolean {
  const text = typeof value === 'object' ? '' : String(value).trim().toLowerCase()
  if (['true', 'yes', 'on', '1'].includes(text)) return true
  if (['false', 'no', 'off', '0'].includes(text)) return false
  throw new FunctionFailed('the value is neither true nor false')
}

/** A text is a list of itself, for commas may be part of an answer; one that is a JSON list is that list. */
function castList(value: JsonValue): JsonValue[] {
  if (Array.isArray(value)) return value
  if (value === null || value === '') return []
  if (typeof value === 'string' && value.trimStart().startsWith('[')) {
    try {
      const parsed = JSON.parse(value) as JsonValue
      if (Array.isArray(parsed)) return parsed
    } catch {
      // An answer that only looks like a list.
    }
  }
  return [value]
}
