/** How a subgraph links `@cacheControl`. */
export interface CacheControlLink {
  readonly url?: string;
  /** What is imported from there. */
  readonly import?: string;
  /** Under which it is applied. */
  readonly name?: string;
  readonly enumName?: string;
}

/** The SDL of a subgraph in which `@cacheControl` stands, with all that it takes to compose it. */
export function cacheable(sdl: string, link: CacheControlLink = {}): string {
  const { url = 'https://sojourn.example/cacheControl/v1.0', name = 'cacheControl' } = link;
  const { import: imported = '"@cacheControl"', enumName = 'cacheControl__Scope' } = link;
  return `extend schema @link(url: "${url}", import: [${imported}]) @composeDirective(name: "@${name}")
    directive @${name}(maxAge: Int, scope: ${enumName}, inheritMaxAge: Boolean) on FIELD_DEFINITION | OBJECT | INTERFACE | UNION
    enum ${enumName} { PUBLIC PRIVATE }
    ${sdl.replaceAll('@cacheControl(', `@${name}(`)}`;
}
