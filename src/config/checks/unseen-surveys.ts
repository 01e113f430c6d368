import type { Configuration } from '../../contracts/configuration.ts'
import { matchesPattern } from '../../rules/name-filter.ts'
import { type Finding, warning } from '../telling/finding.ts'
import { didYouMean } from '../telling/nearest.ts'
import type { Sheet } from './sheet.ts'

/** The names and uuids of the surveys that responses of a tenant came from; none where nothing is known. */
export type SeenSurveys = (database: string, tenant: string) => readonly string[]

/** Patterns of surveys that fit none of those seen so far: a misspelt one would let nothing through, and say nothing. */
export function checkUnseenSurveys(
  sheet: Sheet,
  { database, tenants }: Configuration,
  seenBy: SeenSurveys,
): Finding[] {
  return [...tenants.keys()].flatMap((tenant) => {
    const patterns = sheet.places().filter(({ path }) => isPattern(path, tenant))
    const seen = patterns.length === 0 ? [] : seenBy(database.path, tenant)
    if (seen.length === 0) return []
    return patterns.flatMap((place) => {
      const pattern = String(place.value)
      if (seen.some((name) => matchesPattern(pattern, name))) return []
      const message = `this pattern fits none of the surveys that tenant \`${tenant}\` had responses from so far`
      return [warning('unseen_survey', place.valueAt, message, didYouMean(pattern, [...seen], null))]
    })
  })
}

function isPattern(path: readonly string[], tenant: string): boolean {
  const [top, name, direction, filter, list] = path
  const isList = list === 'include' || list === 'exclude'
  const isSurveys = direction === 'to_segment' && filter === 'surveys'
  return path.length === 6 && top === 'tenants' && name === tenant && isSurveys && isList
}
