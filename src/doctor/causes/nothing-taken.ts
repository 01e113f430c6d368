import type { Cause } from '../finding.ts'

const LITTLE_ROOM = 256 * 1024 * 1024

/** What comes cannot be kept, or soon not: the database, the disk, or too much waits. */
export const nothingTaken: Cause = {
  name: 'nothing_taken',
  looksAt: 'whether the database takes writes, the disk has room, and the backlog is below its bound',
  find({ health, full: ways, unread, disk_free_bytes }) {
    const findings = []
    const fault = health.database.error ?? unread
    if (fault !== null) {
      const full = /disk is full/.test(fault)
      findings.push({
        tenant: null,
        likelihood: 'certain' as const,
        problem: full
          ? 'the disk is full: nothing is taken, senders are told to come back'
          : `the database does not work: ${fault}`,
        evidence: [fault, 'Segment and Refiner repeat for hours what is refused with 503'],
        advice: full
          ? ['make room where the database is, or make the disk larger; it goes on by itself']
          : [
              'see that the disk works and the file is in its place, and belongs to the user that refiner-sync runs as',
              'then `refiner-sync verify` checks the file; docs/operations.md says how a backup is restored',
            ],
      })
    } else if (disk_free_bytes !== null && disk_free_bytes < LITTLE_ROOM) {
      findings.push({
        tenant: null,
        likelihood: 'certain' as const,
        problem: `the disk is nearly full: ${Math.floor(disk_free_bytes / 1024 / 1024)} MB are left where the database is`,
        evidence: ['when it is full, nothing is taken any more'],
        advice: [
          'make room, or make the disk larger',
          'shorter retention.delivered and retention.dead keep the file smaller',
        ],
      })
    }
    for (const { tenant, source } of ways) {
      const isRefiner = source === 'refiner_webhook'
      const [from, to] = isRefiner ? ['Refiner', 'Segment'] : ['Segment', 'Refiner']
      const waits = health.tenants[tenant]?.destinations[isRefiner ? 'segment' : 'refiner']
      findings.push({
        tenant,
        likelihood: 'certain' as const,
        problem: `so much waits for ${to} that what ${from} sends is turned away with 503 (${waits?.pending ?? 'unknown'} by now)`,
        evidence: [`${to}: ${waits?.last_error?.message ?? waits?.state ?? 'unknown'}`],
        advice: [
          `mend what keeps ${to} from taking it; then new things are taken by themselves`,
          'with room on the disk, server.max_pending can be raised meanwhile',
        ],
      })
    }
    return findings
  },
}
