import { type Cause, DAY_MS, inEachTenant, quoted } from '../finding.ts'

/** So many of one reason are no accident. */
const ENOUGH = 5
/** What was given up before is kept, and no news. */
const NEWS_MS = 7 * DAY_MS

/** The same fault kills one delivery after the other. */
export const deadDeliveries: Cause = {
  name: 'dead_deliveries',
  looksAt: 'what was given up, and for which reasons',
  find: inEachTenant(({ dead }, { at }, name) =>
    dead
      .filter(({ deliveries, last }) => deliveries >= ENOUGH && Date.parse(at) - Date.parse(last) < NEWS_MS)
      // Those have a cause of their own.
      .filter(({ reason }) => !/^(plugin |mapping it failed|rule )/.test(reason))
      .slice(0, 3)
      .map(({ destination, reason, deliveries, last, example }) => {
        const filter = `--state dead --tenant ${name} --destination ${destination} --error ${quoted(reason)}`
        return {
          likelihood: 'certain',
          problem: `${deliveries} deliveries to ${destination === 'segment' ? 'Segment' : 'Refiner'} were given up for one reason: ${reason}`,
          evidence: [`the last one at ${last}`],
          advice: [
            `see what was said of one: \`refiner-sync deliveries show ${example}\``,
            `see them all: \`refiner-sync deliveries list ${filter}\``,
            `once it is mended, send them again: \`refiner-sync deliveries replay ${filter} --remap --dry-run\`, then without --dry-run`,
          ],
        }
      }),
  ),
}
