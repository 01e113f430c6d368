import type { JsonObject, JsonValue } from '../contracts/json.ts'
import { put } from '../json/objects.ts'
import type { InteractionDraft } from './draft.ts'
import { matchesPattern } from './name-filter.ts'

/** The places that a rule can name apart from answers, by their prefix in the file. */
const SCOPES = {
  'traits.': 'traits',
  'properties.': 'properties',
  'group_traits.': 'groupTraits',
  'context.': 'context',
} as const

export type Scope = (typeof SCOPES)[keyof typeof SCOPES]

/** A name of `rename`, `drop`, `keep` or `cast`: in one place, or, without a scope, an answer. */
export interface ScopedName {
  readonly scope: Scope | null
  readonly name: string
}

export function scopedName(text: string): ScopedName {
  if (!text.includes('.')) return { scope: null, name: text }
  for (const [prefix, scope] of Object.entries(SCOPES)) {
    if (text.startsWith(prefix)) return { scope, name: text.slice(prefix.length) }
  }
  return { scope: null, name: text }
}

/** Removes what a name or pattern of `drop` says. */
export function dropNamed(draft: InteractionDraft, text: string): void {
  const { scope, name } = scopedName(text)
  if (scope !== null) {
    removeMatching(draft[scope], (key) => matchesPattern(name, key))
    return
  }
  for (const answer of draft.answers.keys()) if (matchesPattern(name, answer)) removeAnswer(draft, answer)
}

/** Keeps what the names and patterns say: of each place that one of them is in, and of the answers. */
export function keepNamed(draft: InteractionDraft, texts: readonly string[]): void {
  const names = texts.map(scopedName)
  // An empty list keeps no answer.
  const scopes = names.length === 0 ? [null] : new Set(names.map((name) => name.scope))
  for (const scope of scopes) {
    const patterns = names.filter((name) => name.scope === scope).map(({ name }) => name)
    const isKept = (key: string) => patterns.some((pattern) => matchesPattern(pattern, key))
    if (scope !== null) removeMatching(draft[scope], (key) => !isKept(key))
    else for (const answer of draft.answers.keys()) if (!isKept(answer)) removeAnswer(draft, answer)
  }
}

function removeMatching(values: JsonObject, matches: (key: string) => boolean): void {
  for (const key in values) if (matches(key)) delete values[key]
}

function removeAnswer(draft: InteractionDraft, answer: string): void {
  const names = draft.answers.get(answer)!
  delete draft.traits[names.trait]
  delete draft.properties[names.property]
  draft.answers.delete(answer)
}

/** Gives names new ones, in the place of the old, all at the same time: two names can change places. */
export function renameAll(
  draft: InteractionDraft,
  renames: readonly (readonly [from: string, to: string])[],
): void {
  if (renames.length > 1) {
    const [, ...others] = renames
    const targets = new Set(renames.map(([, to]) => to))
    if (others.some(([from]) => targets.has(from))) return renameByDetour(draft, renames)
  }
  for (const [from, to] of renames) renameNamed(draft, from, to)
}

/** By way of names that no answer has. */
function renameByDetour(
  draft: InteractionDraft,
  renames: readonly (readonly [from: string, to: string])[],
): void {
  const detours = renames.map(([from, to], index) => {
    const { scope, name } = scopedName(from)
    const prefix = scope === null ? '' : from.slice(0, from.length - name.length)
    return { from, via: `${prefix}\u0000${index}`, to }
  })
  for (const { from, via } of detours) renameNamed(draft, from, via)
  for (const { via, to } of detours) renameNamed(draft, via, to)
}

function renameNamed(draft: InteractionDraft, from: string, to: string): void {
  const { scope, name } = scopedName(from)
  const target = scopedName(to).scope === scope ? scopedName(to).name : to
  if (scope !== null) {
    draft[scope] = renamed(draft[scope], name, target)
    return
  }
  const names = draft.answers.get(name)
  if (names === undefined) return
  const after = { trait: draft.traitPrefix + target, property: target }
  draft.traits = renamed(draft.traits, names.trait, after.trait)
  draft.properties = renamed(draft.properties, names.property, after.property)
  draft.answers.delete(name)
  draft.answers.set(target, after)
}

/** The values with one name changed; a value that had the new name before is replaced. */
function renamed(values: JsonObject, from: string, to: string): JsonObject {
  if (from === to || !Object.hasOwn(values, from)) return values
  const result: JsonObject = {}
  for (const name in values) if (name !== to) put(result, name === from ? to : name, values[name]!)
  return result
}

/** The value that a name has now; undefined when there is none. */
export function valueNamed(draft: InteractionDraft, text: string): JsonValue | undefined {
  const { scope, name } = scopedName(text)
  if (scope !== null) return own(draft[scope], name)
  const names = draft.answers.get(name)
  return names === undefined
    ? undefined
    : (own(draft.properties, names.property) ?? own(draft.traits, names.trait))
}

/** Replaces the value of a name, wherever it stands. */
export function replaceNamed(draft: InteractionDraft, text: string, value: JsonValue): void {
  const { scope, name } = scopedName(text)
  if (scope !== null) {
    draft[scope][name] = value
    return
  }
  const names = draft.answers.get(name)
  if (names === undefined) return
  if (Object.hasOwn(draft.traits, names.trait)) draft.traits[names.trait] = value
  if (Object.hasOwn(draft.properties, names.property)) draft.properties[names.property] = value
}

function own(values: JsonObject, name: string): JsonValue | undefined {
  return Object.hasOwn(values, name) ? values[name] : undefined
}
