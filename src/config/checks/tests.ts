import { statSync, type Stats } from 'node:fs'
import { resolve } from 'node:path'
import { reasonOf } from '../reading/read-text.ts'
import { error, type Finding, warning } from '../telling/finding.ts'
import { didYouMean } from '../telling/nearest.ts'
import type { Path } from '../telling/path.ts'
import { named, type Sheet } from './sheet.ts'

/**
 * Tests of the mapping, in a configuration or a file of their own.
 *
 * @param tenants the names of the tenants there are
 */
export function checkTests(sheet: Sheet, tenants: readonly string[]): Finding[] {
  return sheet.keys('tests').flatMap((index) => {
    const path = ['tests', index]
    if (sheet.place(...path) === null) return []
    return [
      ...checkTenant(sheet, path, tenants),
      ...checkExpectations(sheet, path),
      ...checkInput(sheet, [...path, 'input', 'file']),
    ]
  })
}

function checkTenant(sheet: Sheet, path: Path, tenants: readonly string[]): Finding[] {
  const place = sheet.place(...path, 'tenant')
  const list = `the tenants are ${tenants.join(', ')}`
  if (place === null) {
    if (tenants.length < 2 || sheet.has(...path, 'tenant')) return []
    return [error('missing_key', sheet.nearestKey(...path), `${named(...path, 'tenant')} is missing`, list)]
  }
  const name = String(place.value)
  // A tenant whose own settings have a mistake is there all the same.
  if (tenants.includes(name) || sheet.has('tenants', name)) return []
  const shown = place.references.length > 0 ? place.references.join('') : name
  const hint = didYouMean(name, tenants, list)
  return [error('unknown_tenant', place.valueAt, `there is no tenant \`${shown}\``, hint)]
}

const EXPECTATIONS = ['expect', 'expect_skip', 'expect_error']

function checkExpectations(sheet: Sheet, path: Path): Finding[] {
  const given = EXPECTATIONS.filter((key) => (sheet.place(...path, key)?.value ?? false) !== false)
  const [first, second] = given
  if (first === undefined) {
    const isUnknown = EXPECTATIONS.some((key) => sheet.has(...path, key) && !sheet.place(...path, key))
    if (isUnknown) return []
    const message = `${named(...path)} expects nothing`
    const hint = 'add `expect`, `expect_skip` or `expect_error`'
    return [error('no_expectation', sheet.nearestKey(...path), message, hint)]
  }
  if (second !== undefined) {
    const message = `${named(...path)} has both \`${first}\` and \`${second}\``
    return [error('expectation_conflict', sheet.nearestKey(...path, second), message, 'keep one of the two')]
  }
  const exact = sheet.place(...path, 'exact')
  if (exact?.value !== true || first === 'expect') return []
  const message = `${named(...exact.path)} has no effect without \`expect\``
  return [warning('no_effect', exact.keyAt, message, 'remove it')]
}

/** Bytes that no webhook body has: a larger one is not taken in by default. */
const LARGE = 1024 * 1024

function checkInput(sheet: Sheet, path: Path): Finding[] {
  const place = sheet.place(...path)
  // An input that stands here may have a key `file` of its own.
  if (place === null || place.schema === null) return []
  const found = statOrReason(resolve(sheet.folder, String(place.value)))
  if (typeof found === 'string') {
    const hint = 'relative paths start from the folder of this file'
    // Where the daemon runs there need be no samples.
    return [warning('input_unreadable', place.valueAt, `${named(...path)} cannot be read: ${found}`, hint)]
  }
  if (found.size <= LARGE) return []
  const message = `${named(...path)} is larger than 1MB, and so than what is taken in by default`
  return [warning('large_input', place.valueAt, message)]
}

function statOrReason(file: string): Stats | string {
  try {
    const stats = statSync(file)
    return stats.isFile() ? stats : 'it is not a regular file'
  } catch (cause) {
    return reasonOf(cause)
  }
}
