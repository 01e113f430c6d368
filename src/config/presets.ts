import delighted from '../../config/presets/delighted.yaml' with { type: 'text' }
import rudderstack from '../../config/presets/rudderstack.yaml' with { type: 'text' }
import satismeter from '../../config/presets/satismeter.yaml' with { type: 'text' }
import segmentCatalog from '../../config/presets/segment-catalog.yaml' with { type: 'text' }

/** The presets that are part of the program, as YAML, by name. */
export const BUILT_IN_PRESETS: ReadonlyMap<string, string> = new Map<string, string>([
  ['delighted', delighted],
  ['rudderstack', rudderstack],
  ['satismeter', satismeter],
  ['segment-catalog', segmentCatalog],
])
