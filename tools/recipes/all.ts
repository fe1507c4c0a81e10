/** Every recipe, in the order of the threat catalogue. */
import { benign } from './benign.ts';
import { breaking, harmlessRows } from './breaking.ts';
import { byHandBenign, byHandHostile } from './byhand.ts';
import { formatsBenign, formatsHostile } from './byhandformats.ts';
import { benignCodestreams, codestreams } from './codestreams.ts';
import { benignDocuments, documents } from './documents.ts';
import { hidden } from './hidden.ts';
import { harmlessNames, names } from './names.ts';
import { privateBenign, privateHostile } from './private.ts';
import type { Recipe } from './recipe.ts';
import { vendorBenign, vendorHostile } from './vendors.ts';

export const benignRecipes: readonly Recipe[] = [...benign, ...privateBenign, ...vendorBenign, ...benignDocuments, ...benignCodestreams, ...byHandBenign, ...formatsBenign, ...harmlessRows, ...harmlessNames];
export const hostileRecipes: readonly Recipe[] = [...hidden, ...privateHostile, ...vendorHostile, ...documents, ...codestreams, ...breaking, ...names, ...byHandHostile, ...formatsHostile];
export const recipes: readonly Recipe[] = [...benignRecipes, ...hostileRecipes];
