import { type Cause, inEachTenant } from '../finding.ts'

const ENOUGH = 5
const MOST_PART = 0.5

/** Surveys are answered by contacts that Refiner was not told the user ID of. */
export const allAnonymous: Cause = {
  name: 'all_anonymous',
  looksAt: 'how many interactions were skipped because the contact has no user ID',
  find: inEachTenant(({ settings, from_refiner: { sample } }) => {
    const skipped = sample.outcomes
      .filter(
        ({ state, reason }) => state === 'skipped' && /^the contact has (no|neither)/.test(reason ?? ''),
      )
      .filter(({ reason }) => reason!.includes(`anonymous: ${settings.anonymous})`))
      .reduce((sum, { items }) => sum + items, 0)
    if (skipped < ENOUGH || skipped < sample.items * MOST_PART) return []
    return [
      {
        likelihood: 'certain',
        problem: `${skipped} of the newest ${sample.items} interactions were skipped, because the contact has no user ID`,
        evidence: [`to_segment.anonymous is ${settings.anonymous}`],
        advice: [
          'let your app tell Refiner who a user is, with the ID, before a survey is shown',
          ...(settings.anonymous === 'skip'
            ? ['or set to_segment.anonymous to email or anonymous_id, to send them without one']
            : ['or set to_segment.anonymous to anonymous_id, to send them under their anonymous ID']),
          "then send what was skipped: `refiner-sync deliveries replay --state skipped --error 'the contact has' --remap --dry-run`",
        ],
      },
    ]
  }),
}
