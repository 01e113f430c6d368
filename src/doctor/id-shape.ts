import type { ShapesFacts } from '../contracts/diagnosis.ts'

/** A prefix that so many IDs share, and nearly all of them, is the system's and nobody's name. */
const SHARED_BY = 20
const SHARED_PART = 0.9
const MOST_SHAPES = 3
const LONGEST_SHAPE = 60

const UUID = /^[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}$/i

/** What IDs look like, without any of them. */
export function shapesOf(ids: ReadonlySet<string>): ShapesFacts {
  const prefix = sharedPrefix(ids)
  const counts = new Map<string, number>()
  for (const id of ids) {
    const shape =
      prefix !== '' && id.startsWith(prefix) ? prefix + shapeOf(id.slice(prefix.length)) : shapeOf(id)
    counts.set(shape, (counts.get(shape) ?? 0) + 1)
  }
  const shapes = [...counts]
    .map(([shape, ids]) => ({ shape, ids }))
    .toSorted((a, b) => b.ids - a.ids)
    .slice(0, MOST_SHAPES)
  return { ids: ids.size, shapes }
}

/** Such as `digits(8)`, `letters(4)_hex(24)`, `uuid`, `email-like`: no two characters of an ID are in it, but for punctuation. */
export function shapeOf(id: string): string {
  if (UUID.test(id)) return 'uuid'
  if (/^[^\s@]+@[^\s@]+\.[^\s@]+$/.test(id)) return 'email-like'
  const parts = id.match(/[\p{L}\p{N}]+|[^\p{L}\p{N}]+/gu) ?? []
  const shape = parts.map((part) => shapeOfPart(part)).join('')
  return shape.length > LONGEST_SHAPE ? `text(${id.length})` : shape
}

function shapeOfPart(part: string): string {
  const { length } = part
  if (/^\d+$/.test(part)) return `digits(${length})`
  if (length >= 16 && /^[0-9a-f]+$/i.test(part)) return `hex(${length})`
  if (/^\p{L}+$/u.test(part)) return `letters(${length})`
  if (/^[\p{L}\p{N}]+$/u.test(part)) return `alphanumeric(${length})`
  return /^[\x21-\x7e]{1,3}$/.test(part) ? part : `other(${length})`
}

/** Letters and a mark behind them, such as `user_`; empty when there is none that nearly all share. */
function sharedPrefix(ids: ReadonlySet<string>): string {
  const counts = new Map<string, number>()
  for (const id of ids) {
    const prefix = /^[a-z]{1,20}[_:|-]/i.exec(id)?.[0]
    if (prefix !== undefined && !UUID.test(id)) counts.set(prefix, (counts.get(prefix) ?? 0) + 1)
  }
  const enough = Math.max(SHARED_BY, ids.size * SHARED_PART)
  return [...counts].find(([, count]) => count >= enough)?.[0] ?? ''
}

/** An ID without what is often different between two systems: case, spaces around it, and a prefix such as `user_`. */
export function looseId(id: string): string {
  return id
    .trim()
    .toLowerCase()
    .replace(/^[a-z]{1,20}[_:|-](?=.)/, '')
}
