import type { Place } from '../reading/places.ts'
import { type Finding, warning } from '../telling/finding.ts'
import type { Path } from '../telling/path.ts'
import { named, type Sheet } from './sheet.ts'

/** The list of rules to look at, and what is put before the names of answers among the traits. */
interface Names {
  readonly sheet: Sheet
  readonly path: Path
  readonly traitPrefix: string
}

/** Names and event names that are allowed, and would do nothing, or not what was meant, without a word. */
export function checkUnlikelyNames(names: Names): Finding[] {
  const { sheet, path } = names
  return sheet
    .keys(...path)
    .flatMap((rule) => [
      ...namesOf(sheet, [...path, rule]).flatMap(([place, name]) => doubtOf(name, place, names)),
      ...checkEvent(sheet, [...path, rule, 'event']),
      ...checkEvent(sheet, [...path, rule, 'emit', 'event']),
    ])
}

/** Names in `drop` and `keep` stand as values, those in `rename` and `cast` as keys. */
function namesOf(sheet: Sheet, rule: Path): [Place, string][] {
  const found: [Place, string][] = []
  for (const action of ['drop', 'keep', 'rename', 'cast']) {
    for (const key of sheet.keys(...rule, action)) {
      const place = sheet.place(...rule, action, key)
      const isList = action === 'drop' || action === 'keep'
      if (place !== null) found.push([place, isList ? String(place.value) : key])
    }
  }
  return found
}

function doubtOf(name: string, place: Place, { traitPrefix }: Names): Finding[] {
  const told = (message: string, hint: string) => {
    const isKey = /^\d+$/.test(place.path.at(-1) ?? '')
    return [warning('unlikely_name', isKey ? place.valueAt : place.keyAt, message, hint)]
  }
  if (name === 'email') {
    const message = 'a name without a place is an answer, and the email of a contact is none'
    return told(message, `write \`traits.${traitPrefix}email\``)
  }
  if (traitPrefix !== '' && name.startsWith(traitPrefix) && name !== traitPrefix) {
    const bare = name.slice(traitPrefix.length)
    const message = `a name without a place is an answer, and \`${traitPrefix}\` is what stands before answers among the traits`
    return told(
      message,
      `write \`${bare}\` for the answer everywhere, or \`traits.${name}\` for this one place`,
    )
  }
  if (traitPrefix !== '' && name === 'traits.email') {
    return told('no trait has this name: traits have their prefix', `write \`traits.${traitPrefix}email\``)
  }
  return []
}

/** A variable, as expressions write it, where a template was to stand. */
const VARIABLE = /(^|\{)\s*(survey|answers|response|user|account|interaction|message|body)\.[a-z_]+/

function checkEvent(sheet: Sheet, path: Path): Finding[] {
  const place = sheet.place(...path)
  if (place === null || typeof place.value !== 'string' || place.value.includes('{{')) return []
  const variable = VARIABLE.exec(place.value)
  if (variable === null || place.references.length > 0) return []
  const message = `${named(...path)} is sent as it is written: only what stands in \`{{ }}\` is an expression`
  return [warning('unlikely_name', place.valueAt, message, 'write `{{ survey.name }}`')]
}
