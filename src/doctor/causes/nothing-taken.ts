import type { Cause } from '../finding.ts'

const LITTLE_ROOM = 256 * 1024 * 1024

/** What comes cannot be kept, or soon not: the database, the disk, or too much waits. */
export const nothingTaken: Cause = {
  name: 'nothing_taken',
  looksAt: 'whether the database takes writes, the disk has room, and the backlog is below its bound',
  find({ health, unread, disk_free_bytes }) {
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
    for (const problem of health.problems) {
      const name = /^(\S+): so much waits that what comes is answered 503/.exec(problem)?.[1]
      if (name === undefined) continue
      const waits = health.tenants[name]
      const [slow] = Object.entries(waits?.destinations ?? {}).toSorted((a, b) => b[1].pending - a[1].pending)
      findings.push({
        tenant: name,
        likelihood: 'certain' as const,
        problem: `so much waits that what comes is turned away with 503 (${waits?.pending ?? '?'} by now)`,
        evidence:
          slow === undefined
            ? []
            : [`most of it waits for ${slow[0]}: ${slow[1].last_error?.message ?? slow[1].state}`],
        advice: [
          'mend what it waits for; then it is sent, and new things are taken by themselves',
          'with room on the disk, server.max_pending can be raised meanwhile',
        ],
      })
    }
    return findings
  },
}
