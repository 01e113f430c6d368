import type {
  CastType,
  EmitRule,
  EventRule,
  FieldSource,
  InteractionRule,
  RuleBase,
} from '../contracts/rules.ts'
import type { Sheet } from './checks/sheet.ts'
import { DEFAULTS } from './defaults.ts'
import type { EventRuleFields, InteractionRuleFields } from './schema-rules.ts'
import type { Path } from './telling/path.ts'

/** A rule and its index in the list that it stands in. */
export interface ReadRule<Rule> {
  readonly index: number
  readonly rule: Rule
}

/**
 * The rules of a list; what has a mistake is left out of them.
 *
 * @param before how many rules come before those of this list; rules without a name are counted from there
 */
export function interactionRules(sheet: Sheet, path: Path, before: number): ReadRule<InteractionRule>[] {
  return read(sheet, path, before, (spot) => {
    const { calls } = cleanPart<InteractionRuleFields>(spot)
    return {
      ...ruleBase(spot),
      properties: fieldSource(spot, 'properties'),
      context: fieldSource(spot, 'context'),
      calls: calls ?? null,
      emit: emitRule({ ...spot, path: [...spot.path, 'emit'] }),
    }
  })
}

/** The same for rules of to_refiner.mapping. */
export function eventRules(sheet: Sheet, path: Path, before: number): ReadRule<EventRule>[] {
  return read(sheet, path, before, ruleBase)
}

/** A rule's name, or what stands for it. */
export function nameOfRule(name: string | undefined, number: number): string {
  return name ?? `#${number}`
}

interface Spot {
  readonly sheet: Sheet
  readonly path: Path
  /** From 1, in the whole list. */
  readonly number: number
}

function read<Rule>(sheet: Sheet, path: Path, before: number, one: (spot: Spot) => Rule): ReadRule<Rule>[] {
  return sheet
    .keys(...path)
    .map((key, index) => ({ sheet, path: [...path, key], index, number: before + index + 1 }))
    .filter((spot) => sheet.place(...spot.path) !== null)
    .map((spot) => ({ index: spot.index, rule: one(spot) }))
}

/** The keys of a mapping whose values have no mistake, not even inside. */
function cleanPart<Fields>({ sheet, path }: Spot): Partial<Fields> {
  const keys = sheet.keys(...path).filter((key) => sheet.isClean(...path, key))
  return Object.fromEntries(keys.map((key) => [key, sheet.place(...path, key)?.value])) as Partial<Fields>
}

function ruleBase(spot: Spot): RuleBase {
  const { sheet, path, number } = spot
  const rule = cleanPart<EventRuleFields>(spot)
  return {
    name: nameOfRule(rule.name, number),
    place: sheet.where(sheet.nearestKey(...path)),
    when: rule.when ?? null,
    onError: rule.on_error ?? DEFAULTS.onError,
    event: rule.event ?? null,
    traits: fieldSource(spot, 'traits'),
    groupTraits: fieldSource(spot, 'group_traits'),
    rename: pairs<string>(spot, 'rename'),
    drop: rule.drop ?? [],
    keep: rule.keep ?? null,
    cast: pairs<CastType>(spot, 'cast'),
    skip: rule.skip ?? null,
    stop: rule.stop ?? false,
  }
}

function emitRule(spot: Spot): EmitRule | null {
  const emit = cleanPart<NonNullable<InteractionRuleFields['emit']>>(spot)
  if (emit.type === undefined) return null
  return {
    type: emit.type,
    event: emit.event ?? null,
    userId: emit.user_id ?? null,
    groupId: emit.group_id ?? null,
    timestamp: emit.timestamp ?? null,
    traits: fieldSource(spot, 'traits'),
    properties: fieldSource(spot, 'properties'),
    context: fieldSource(spot, 'context'),
    fields: fieldSource(spot, 'fields'),
  }
}

function fieldSource(spot: Spot, key: string): FieldSource | null {
  const place = spot.sheet.place(...spot.path, key)
  if (place === null) return null
  if (typeof place.value === 'string') return { kind: 'map', expression: place.value }
  return { kind: 'fields', fields: pairs<string>(spot, key) }
}

/** Names and what they stand for, in the order of the file. */
function pairs<Value>({ sheet, path }: Spot, key: string): [name: string, value: Value][] {
  return sheet.keys(...path, key).flatMap((name) => {
    const place = sheet.place(...path, key, name)
    return place === null ? [] : [[name, place.value as Value]]
  })
}
