import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { types } from 'node:util';
import { compileFunction, SyntheticModule } from 'node:vm';
import Runtime from 'jest-runtime';

const require = createRequire(import.meta.url);
const PACKAGE = /^file:.*\/node_modules\//;
/** Jest's own parts keep what is of one test file, so each file has its own. */
const JEST = /\/node_modules\/(?:@jest\/|jest-|expect\/)/;

/**
 * Jest's way of loading modules, except for packages: Node loads those, once for all test files of a worker. They are
 * some 1,500 modules, and to read them anew took each test file of a subgraph longer than its tests. Our own modules
 * are loaded anew for each file, as always. It reaches into jest's inside, which is why jest is pinned.
 */
class SharedRuntime extends Runtime {
  constructor(...args) {
    super(...args);
    const { registries, esmLoader, executor } = this;
    registries.esModuleRegistry = new RegistryWithPackages();
    esmLoader.getContext = () => undefined;
    executor.compile = (source, filename) =>
      compileFunction(source, executor.injectedModuleParameters, {
        filename,
        importModuleDynamically: (specifier, _function, attributes, phase) =>
          executor.dynamicImport(specifier, filename, undefined, attributes, phase),
      });
  }
}

/** By URL, as jest keeps modules. */
class RegistryWithPackages extends Map {
  get(url) {
    return super.get(url) ?? (PACKAGE.test(url) && !JEST.test(url) ? packageModule(url) : undefined);
  }

  has(url) {
    return this.get(url) !== undefined;
  }
}

const packages = new Map();

function packageModule(url) {
  const known = packages.get(url);
  if (known) return known;
  const loaded = require(fileURLToPath(url));
  const isEsm = types.isModuleNamespaceObject(loaded);
  const names = new Set(Object.keys(loaded)).add('default');
  const module = new SyntheticModule([...names], () => {
    for (const name of names) module.setExport(name, name === 'default' && !isEsm ? loaded : loaded[name]);
  });
  module.evaluate();
  packages.set(url, module);
  return module;
}

export { SharedRuntime as 'module.exports' };
