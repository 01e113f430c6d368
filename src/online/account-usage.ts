import type { JsonObject } from '../contracts/json.ts'
import { isObject } from '../json/objects.ts'

const MOST = 12
const TELLS = /usage|used|limit|quota|count|remaining|allow|max|plan|period/i
const NAME = /^\w{1,40}$/

/**
 * What an account says of its usage and limits. Public material does not say under which names, so that numbers are
 * told under the names that they have; texts only of a plan, since others may name people.
 */
export function usageIn(account: JsonObject): {
  readonly told: readonly string[]
  /** What has reached its limit. */
  readonly usedUp: readonly string[]
} {
  const told: string[] = []
  const usedUp: string[] = []
  const visit = (fields: JsonObject, path: readonly string[]): void => {
    for (const [name, value] of Object.entries(fields)) {
      if (!NAME.test(name)) continue
      const here = [...path, name]
      if (isObject(value)) {
        if (path.length < 3) visit(value, here)
      } else if (typeof value === 'number' && TELLS.test(here.join('.')))
        told.push(`${here.join('.')} ${value}`)
      else if (typeof value === 'string' && /^plan(_name)?$/i.test(name))
        told.push(`${name} ${value.slice(0, 40)}`)
    }
    const [used, limit] = [
      numberAt(fields, /^(usage|used|count|current)$/i),
      numberAt(fields, /^(limit|quota|max)$/i),
    ]
    if (used !== null && limit !== null && limit > 0 && used >= limit)
      usedUp.push(path.join('.') || 'the account')
  }
  visit(account, [])
  return { told: told.slice(0, MOST), usedUp }
}

function numberAt(fields: JsonObject, name: RegExp): number | null {
  const value = Object.entries(fields).find(([key]) => name.test(key))?.[1]
  return typeof value === 'number' ? value : null
}
