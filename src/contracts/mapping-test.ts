import type { JsonObject } from './json.ts'

/** A test of the mapping, as `tests:` of refiner-sync.yaml or of a file of tests writes it. */
export interface MappingTest {
  readonly name: string
  /** Where it stands, as `refiner-sync.yaml:31:11`. */
  readonly place: string
  /** Null where there is only one. */
  readonly tenant: string | null
  /** A webhook body of Refiner, or a message of Segment; what it looks like tells which. */
  readonly input:
    { readonly kind: 'file'; readonly path: string } | { readonly kind: 'inline'; readonly body: JsonObject }
  /** Messages that must come out in this order, among others; null where none is asked for. */
  readonly expect: readonly JsonObject[] | null
  /** Whether `expect` says all: no other message, and no other trait or property. */
  readonly exact: boolean
  /** A part of the reason for which it must be skipped; null where it must not. */
  readonly expectSkip: string | null
  /** A part of the reason for which its mapping must fail; null where it must not. */
  readonly expectError: string | null
}
