
    // Do not modify this file by hand!
    // Re-generate this file by running lit-localize

    
    import {str} from '@lit/localize';

    /* eslint-disable no-irregular-whitespace */
    /* eslint-disable @typescript-eslint/no-explicit-any */

    export const templates = {
      's0310d39d85a9997c': `despierto`,
's113268220ddf9769': `Hijo de dos`,
's13f466dc1200537b': str`Y han pasado ${0} cosas más.`,
's1576938493e66a7d': `Falta una parte. Escanea el código otra vez o elige tu imagen o tu película.`,
's1589ceab6b18fc8b': `Hazla crecer otra vez`,
's1f98219eb79fc084': `en reposo, con cicatriz`,
's2132fcfde8c87c9e': `El jardinero`,
's21f0b3497fb00180': str`La sala está llena. Hay ${0} visitante antes que tú.`,
's24f15eba1c59a844': str`${0}, luego ${1}`,
's25c392d3f36e4b1d': `sanando`,
's2ad3d8db86801111': `Una semilla`,
's32a6858a3ed4ec44': str`${0} de vida`,
's32f82ebb02b028d7': `Plántala cuando vuelvas`,
's3600f777e8710f6f': `lo plantó el jardinero`,
's3fdc6453866ec7c0': `La sala está llena. Eres la siguiente persona.`,
's4113b2f6c090f181': `No se pudo cargar aquello de lo que crece. Inténtalo de nuevo en un momento.`,
's43b93cb842655fdb': `recién plantado`,
's475adfa48074d28e': `Este archivo no lleva ninguna semilla. Algunas aplicaciones la quitan: elige el archivo tal como lo guardaste.`,
's545db0b26b3d1a64': str`La sala está llena. Hay ${0} visitantes antes que tú.`,
's54eeade65b83e82b': `Este enlace está incompleto`,
's5aa875c0cc9af8b0': `Esta página no conoce las células de esta criatura. Abre el enlace de su recuerdo.`,
's628f9d3415e052a8': `La casa`,
's66a916cde1017912': str`lo plantó ${0}`,
's6b5808729ba28a3f': `sin nombre`,
's704683c5958e9c5f': `lo plantó la casa`,
's7814bf80cd3885d3': `lo plantaste tú`,
's7879f832b2a73274': `Elegir una imagen o película`,
's8041f53d7dfb76b2': `Haz crecer un recuerdo`,
's822a12f086a7d91a': str`${0} heridas curadas`,
's8c68bc0a1a65d461': `Hijo del azar`,
's9516ff545e1695cb': `una herida curada`,
'sa5bc226742558d67': `muerto`,
'sa73e374cbc26502c': `Ahora no puede crecer`,
'sa8a792da660d0386': `Crece célula a célula en tu propio navegador, a partir de la semilla de su enlace.`,
'sb12465c3313390b3': str`y ${0} más allá`,
'sb7ce768919359466': `creciendo`,
'sba52dbfb8d3a60d7': `nunca herido`,
'sc60adfd1ffc74f3e': `Este navegador no puede dibujar la sala: le falta WebGL2. Quizá pueda otro navegador u otro dispositivo.`,
'sc7f1beea639774c7': `conectando`,
'sc85f4dd5dc1537a6': str`${0} personas aquí`,
'scd1dd6ff53d0d01a': `Otra vez`,
'sd520de695c80a0bf': `De otro jardín`,
'sd8daaec3c20a386d': `lo plantó un visitante`,
'sd99f82acbe5a90d8': str`Y ha pasado ${0} cosa más.`,
'sddac88c3332a3667': `Único en su especie`,
'sde2070793c53a101': `y uno más allá`,
'se244b12de4bc253b': `se está yendo`,
'se2f63fcf854bf554': str`${0} células`,
'se7b3c7812db47ee6': `en reposo`,
'se80e667e86d1bc4d': `Una placa vacía`,
'sea2ae67c61dea9aa': `reconectando`,
'sedb014886c00c32f': str`${0} célula`,
'sefcf950b3cc4fc3b': `Idioma`,
'sf258fb79865d5ffc': str`${0} persona aquí`,
'sfef7fb686039baeb': `Elige la imagen o la película que te llevaste a casa, o abre su enlace.`,
    };
  