import type { InteractionKind, PrivacySettings } from '../contracts/configuration.ts'
import type { RefinerReader } from '../contracts/refiner-reader.ts'

/** Whom an item is about, as far as it tells. */
export interface Person {
  readonly userId: string | null
  readonly email: string | null
  readonly uuid: string | null
}

/** What backfills need to know of a configuration, which may change while they run. */
export interface BackfillSource {
  /** Null for a tenant that the configuration does not name, has switched off, or has no key of Refiner for. */
  reader(tenant: string): RefinerReader | null
  /** What of a response may become a message: a survey that was only seen often does not. */
  kinds(tenant: string): ReadonlySet<InteractionKind>
  /** What of a response is not to be kept. */
  privacy(tenant: string): PrivacySettings | null
  /** Whether somebody asked to be forgotten, and must not be brought back. */
  isForgotten(tenant: string, person: Person): boolean
}
