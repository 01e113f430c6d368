import type { RuleDirection } from '../../contracts/rules.ts'
import { scopedName } from '../../rules/names.ts'
import { error, type Finding } from '../telling/finding.ts'
import type { Path } from '../telling/path.ts'
import { named, type Sheet } from './sheet.ts'

/** Where the rules stand whose renames are checked. */
interface Renames {
  readonly sheet: Sheet
  readonly path: Path
  readonly direction: RuleDirection
}

/** A name that is to move to another place of the messages would go out with that place as a part of the name. */
export function checkRenames({ sheet, path, direction }: Renames): Finding[] {
  return sheet.keys(...path).flatMap((rule) => {
    const renames = [...path, rule, 'rename']
    return sheet.keys(...renames).flatMap((from) => {
      const place = sheet.place(...renames, from)
      if (place === null) return []
      const source = scopedName(from).scope
      const target = scopedName(String(place.value)).scope
      // In calls for Refiner a bare name has a place, too: which one, the kind of the call decides.
      const isMove = target !== null && target !== source && (source !== null || direction === 'to_segment')
      if (!isMove) return []
      const message = `${named(...place.path)} cannot move a name to another place`
      return [error('rule_conflict', place.valueAt, message, hintFor(source === null))]
    })
  })
}

function hintFor(isBare: boolean): string {
  const instead = 'set it there by `traits`, `properties`, `group_traits` or `context`, and `drop` it here'
  return isBare
    ? `a name without a place is an answer everywhere, also behind the colon; or ${instead}`
    : instead
}
