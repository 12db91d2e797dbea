
    // Do not modify this file by hand!
    // Re-generate this file by running lit-localize

    
    import {str} from '@lit/localize';

    /* eslint-disable no-irregular-whitespace */
    /* eslint-disable @typescript-eslint/no-explicit-any */

    export const templates = {
      's0310d39d85a9997c': `despierta`,
's08f11a02b2fb6870': `Esta página no puede hacer crecer a esta criatura. Abre el enlace de su recuerdo.`,
's113268220ddf9769': `Hija de dos`,
's13f466dc1200537b': str`Y han pasado ${0} cosas más.`,
's1589ceab6b18fc8b': `Hazla crecer otra vez`,
's19e076f6b42fb46d': `Este navegador no puede mostrar la sala: le falta WebGL2. Prueba con otro navegador u otro dispositivo.`,
's1fe37a2a99ccc569': `Crece célula a célula en tu propio navegador, a partir de la semilla de su enlace.`,
's2132fcfde8c87c9e': `El jardinero`,
's24f15eba1c59a844': str`${0}, luego ${1}`,
's25c392d3f36e4b1d': `sanando`,
's2ad3d8db86801111': `Una semilla`,
's318c3d6adb506992': `Ahora no puede crecer`,
's32a6858a3ed4ec44': str`${0} de vida`,
's32f82ebb02b028d7': `Plántala cuando vuelvas`,
's32fcddc5a9538001': `Falta una parte. Escanea el código otra vez o elige tu imagen o tu vídeo.`,
's3600f777e8710f6f': `la plantó el jardinero`,
's3fdc6453866ec7c0': `La sala está llena. Eres la siguiente persona.`,
's43b93cb842655fdb': `recién plantada`,
's46c862560a43c96e': str`La sala está llena. Hay ${0} visitantes antes que tú.`,
's4c2251760c5d2c55': str`y ${0} más`,
's54eeade65b83e82b': `Este enlace está incompleto`,
's5f07539cdc8871c9': `De otro Vivarium`,
's628f9d3415e052a8': `La casa`,
's66a916cde1017912': str`la plantó ${0}`,
's6b5808729ba28a3f': `sin nombre`,
's704683c5958e9c5f': `la plantó la casa`,
's7814bf80cd3885d3': `la plantaste tú`,
's7879f832b2a73274': `Elegir una imagen o un vídeo`,
's8041f53d7dfb76b2': `Haz crecer un recuerdo`,
's82147cb907e3d959': str`La sala está llena. Hay ${0} visitante antes que tú.`,
's822a12f086a7d91a': str`${0} heridas curadas`,
's8c68bc0a1a65d461': `Hija del azar`,
's8e37a9023906283f': `y una más`,
's9516ff545e1695cb': `una herida curada`,
's9583a773fa4f8515': `Elige la imagen o el vídeo que te llevaste a casa, o abre su enlace.`,
's97bbc8698f704ac9': `en reposo, herida`,
'sa5bc226742558d67': `muerta`,
'sb5617c19799ea15c': `tú`,
'sb7ce768919359466': `creciendo`,
'sba52dbfb8d3a60d7': `nunca herida`,
'sc7f1beea639774c7': `conectando`,
'sc85f4dd5dc1537a6': str`${0} personas aquí`,
'scd1dd6ff53d0d01a': `Otra vez`,
'sd8daaec3c20a386d': `la plantó un visitante`,
'sd99f82acbe5a90d8': str`Y ha pasado ${0} cosa más.`,
'sddac88c3332a3667': `Única en su especie`,
'se244b12de4bc253b': `se está yendo`,
'se2f63fcf854bf554': str`${0} células`,
'se3258f292fd15dc1': `en reposo`,
'se80e667e86d1bc4d': `Una placa vacía`,
'se9f1e4a7423d6a55': `No se pudieron cargar sus células. Inténtalo de nuevo en un momento.`,
'sea2ae67c61dea9aa': `reconectando`,
'seb5b5f92b4d7505d': `En este archivo no hay ninguna semilla. Algunas aplicaciones la quitan: elige el archivo que guardaste.`,
'sedb014886c00c32f': str`${0} célula`,
'sefcf950b3cc4fc3b': `Idioma`,
'sf258fb79865d5ffc': str`${0} persona aquí`,
    };
  