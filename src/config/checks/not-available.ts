import { type Finding, warning } from '../telling/finding.ts'
import type { Path } from '../telling/path.ts'
import { named, type Sheet } from './sheet.ts'

/**
 * Settings of later versions, which the schema knows already. Remove each from here when its feature arrives; then this
 * file goes.
 */
export function checkNotAvailable(sheet: Sheet): Finding[] {
  return sheet.tenants().flatMap((tenant) => ignored(sheet, ['tenants', tenant, 'refiner', 'poll']))
}

function ignored(sheet: Sheet, path: Path): Finding[] {
  if (!isGiven(sheet, path)) return []
  return [warning('no_effect', sheet.nearestKey(...path), `${named(...path)} has no effect in this version`)]
}

function isGiven(sheet: Sheet, path: Path): boolean {
  const value = sheet.place(...path)?.value ?? false
  return typeof value === 'object' ? Object.keys(value).length > 0 : value !== false
}
