import { type Cause, inEachTenant, inWords, MINUTE_MS, type TenantFinding } from '../finding.ts'
import { DESTINATIONS } from '../destinations.ts'

const APART_MS = 5 * MINUTE_MS

/** This machine's clock is wrong, unless another one agrees with it. */
export const clocksApart: Cause = {
  name: 'clocks_apart',
  looksAt: "whether this machine's clock agrees with those of Segment and Refiner",
  find: inEachTenant(({ clock_ahead_ms }) =>
    DESTINATIONS.flatMap(({ destination, title }): TenantFinding[] => {
      const ahead = clock_ahead_ms[destination]
      if (ahead === null || Math.abs(ahead) <= APART_MS) return []
      const way = ahead > 0 ? 'ahead of' : 'behind'
      const problem = `this machine's clock is ${inWords(Math.abs(ahead))} ${way} ${title}'s`
      const other = DESTINATIONS.find((one) => one.destination !== destination)!
      const others = clock_ahead_ms[other.destination]
      if (others !== null && Math.abs(others) <= APART_MS) {
        return [
          {
            likelihood: 'possible',
            problem,
            evidence: ['by the Date header of its last answer', `it agrees with ${other.title}'s, though`],
            advice: [
              `see what answers for ${title}: a proxy in between may have a wrong clock, or keep answers`,
            ],
          },
        ]
      }
      return [
        {
          likelihood: 'certain',
          problem,
          evidence: ['by the Date header of its last answer'],
          advice: [
            'set the clock and keep it right: `timedatectl set-ntp true`, or start chrony',
            'Segment corrects timestamps by what a sender says the time is: with a wrong clock events are dated wrongly',
          ],
        },
      ]
    }),
  ),
}
