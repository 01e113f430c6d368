import { Backfills } from '../backfill/backfills.ts'
import type { JobParts } from '../backfill/job.ts'
import { preview } from '../backfill/preview.ts'
import type { BackfillSource } from '../backfill/source.ts'
import type { OperatedBackfills } from '../console/backfills.ts'
import type { InteractionKind } from '../contracts/configuration.ts'
import type { RefinerReader } from '../contracts/refiner-reader.ts'
import type { Generation } from './generation.ts'
import { kindsOf } from './polling.ts'

export interface BackfillingParts extends Omit<JobParts, 'source' | 'onEnd'> {
  /** What is in force now. */
  readonly generation: () => Generation
  /** Null where nothing can be read for the tenant. */
  readonly reader: (tenant: string) => RefinerReader | null
  readonly isForgotten: BackfillSource['isForgotten']
}

/** The backfills of a daemon, as it runs them and as the operator's API sees them. */
export function createBackfilling({ generation, reader, isForgotten, ...parts }: BackfillingParts): {
  readonly backfills: Backfills
  readonly operated: OperatedBackfills
} {
  const tenantOf = (name: string) => {
    const tenant = generation().configuration.tenants.get(name)
    return tenant?.enabled && tenant.toSegment.enabled ? tenant : null
  }
  const source: BackfillSource = {
    reader: (name) => (tenantOf(name) === null ? null : reader(name)),
    kinds(name) {
      const tenant = tenantOf(name)
      return tenant === null ? new Set<InteractionKind>() : kindsOf(tenant)
    },
    privacy: (name) => tenantOf(name)?.privacy ?? null,
    isForgotten,
  }
  const backfills = new Backfills({ ...parts, source })
  const { store, clock } = parts
  const mapping = (name: string) => {
    const { tenants, plugins } = generation().mappings
    const mapping = tenants.get(name)
    return mapping === undefined ? null : { mapping, plugins }
  }
  return {
    backfills,
    operated: {
      now: () => clock.now(),
      begin: (wish) => backfills.begin(wish),
      find: (id) => backfills.find(id),
      list: (limit) => backfills.list(limit),
      pause: (id) => backfills.pause(id),
      resume: (id) => backfills.resume(id),
      preview: (wish, cursor) => preview(wish, cursor, { store, clock, source, mapping }),
    },
  }
}
