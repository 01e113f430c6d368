import { checkCondition } from '../../rules/segment-conditions.ts'
import { error, type Finding, warning } from '../telling/finding.ts'
import type { Path } from '../telling/path.ts'
import { expressionFinding } from './rules.ts'
import { named, type Sheet } from './sheet.ts'

/** What is wrong with the segments of all tenants. */
export function checkSegments(sheet: Sheet): Finding[] {
  return sheet.tenants().flatMap((tenant) => {
    const paths = sheet.keys('tenants', tenant, 'segments').map((key) => ['tenants', tenant, 'segments', key])
    return [
      ...paths.flatMap((path) => checkWhen(sheet, path)),
      ...checkTold(sheet, tenant, paths),
      ...checkOnce(sheet, paths, ['name'], 'give each segment a name of its own'),
      ...checkOnce(
        sheet,
        paths,
        ['refiner_segment'],
        'two conditions would put users in and take them out in turn: make one condition of them, with `||`',
      ),
      ...checkOnce(
        sheet,
        paths,
        ['to_segment', 'trait'],
        'who leaves one and stays in the other would be false: name a trait of its own, or make one condition of them, with `||`',
      ),
    ]
  })
}

function checkWhen(sheet: Sheet, path: Path): Finding[] {
  const when = sheet.text(...path, 'when')
  if (when === null) return []
  return checkCondition(when).map((problem) =>
    expressionFinding(sheet, [...path, 'when'], '`when`: ', problem),
  )
}

/** Whoever is to be told must be there, with a key. */
function checkTold(sheet: Sheet, tenant: string, paths: readonly Path[]): Finding[] {
  return paths.flatMap((path) => [
    ...checkKey(sheet, [...path, 'refiner_segment'], ['tenants', tenant, 'refiner', 'api_key']),
    ...checkKey(sheet, [...path, 'to_segment'], ['tenants', tenant, 'segment', 'write_key']),
    ...checkSays(sheet, [...path, 'to_segment']),
  ])
}

function checkKey(sheet: Sheet, setting: Path, key: Path): Finding[] {
  const place = sheet.place(...setting)
  if (place === null || sheet.has(...key)) return []
  const message = `${named(...setting)} needs ${named(...key)}`
  return [error('missing_key', place.keyAt, message, 'add the key, or remove this setting')]
}

function checkSays(sheet: Sheet, path: Path): Finding[] {
  const place = sheet.place(...path)
  if (place === null || !sheet.isClean(...path) || sheet.keys(...path).length > 0) return []
  return [warning('no_effect', place.keyAt, `${named(...path)} tells nothing`, 'name a trait or an event')]
}

/** A value that only one of them may have. */
function checkOnce(sheet: Sheet, paths: readonly Path[], key: Path, hint: string): Finding[] {
  const taken = new Set<unknown>()
  return paths.flatMap((path) => {
    const place = sheet.place(...path, ...key)
    if (place === null) return []
    if (!taken.has(place.value)) {
      taken.add(place.value)
      return []
    }
    return [
      error(
        'duplicate_segment',
        place.valueAt,
        `${named(...path, ...key)} is that of a segment before it`,
        hint,
      ),
    ]
  })
}
