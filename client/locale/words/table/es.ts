
    // Do not modify this file by hand!
    // Re-generate this file by running lit-localize

    
    import {str} from '@lit/localize';

    /* eslint-disable no-irregular-whitespace */
    /* eslint-disable @typescript-eslint/no-explicit-any */

    export const templates = {
      's01914176b881a711': `Deshacer mi último injerto`,
's0310d39d85a9997c': `despierta`,
's113268220ddf9769': `Hija de dos`,
's13f466dc1200537b': str`Y han pasado ${0} cosas más.`,
's16cf597ade9000a5': `Escanea el código o abre el enlace, y volverá a crecer en tu propio navegador.`,
's19e076f6b42fb46d': `Este navegador no puede mostrar la sala: le falta WebGL2. Prueba con otro navegador u otro dispositivo.`,
's2132fcfde8c87c9e': `El jardinero`,
's24f15eba1c59a844': str`${0}, luego ${1}`,
's25c392d3f36e4b1d': `sanando`,
's2fba308b347e74d6': `Este día ha terminado. Gracias y hasta pronto.`,
's32a6858a3ed4ec44': str`${0} de vida`,
's3356e9411925fa5c': `La sala está en pausa un momento.`,
's3600f777e8710f6f': `la plantó el jardinero`,
's37a9e8aec5713460': `Más`,
's3fdc6453866ec7c0': `La sala está llena. Eres la siguiente persona.`,
's414b64ab9605d344': `Un plato con criaturas vivas. Tócalo para empezar.`,
's43b93cb842655fdb': `recién plantada`,
's46c862560a43c96e': str`La sala está llena. Hay ${0} visitantes antes que tú.`,
's4c2251760c5d2c55': str`y ${0} más`,
's628f9d3415e052a8': `La casa`,
's66a916cde1017912': str`la plantó ${0}`,
's6b5808729ba28a3f': `sin nombre`,
's704683c5958e9c5f': `la plantó la casa`,
's7814bf80cd3885d3': `la plantaste tú`,
's82147cb907e3d959': str`La sala está llena. Hay ${0} visitante antes que tú.`,
's822a12f086a7d91a': str`${0} heridas curadas`,
's83e48a0a8de13b83': `Otra pantalla usa la dirección de esta mesa. Solo una puede usarla.`,
's8c68bc0a1a65d461': `Hija del azar`,
's8e37a9023906283f': `y una más`,
's9516ff545e1695cb': `una herida curada`,
's97bbc8698f704ac9': `en reposo, herida`,
'sa5bc226742558d67': `muerta`,
'sb5617c19799ea15c': `tú`,
'sb7ce768919359466': `creciendo`,
'sb9b0683ed20fc0f9': `Ahora no se puede acceder a la sala. Espera un momento.`,
'sba52dbfb8d3a60d7': `nunca herida`,
'sc26501e3ade7da3c': `Herramientas`,
'sc3a4d3774733a9a0': `Cortar`,
'sc7f1beea639774c7': `conectando`,
'sc85f4dd5dc1537a6': str`${0} personas aquí`,
'sd49437faddc27406': `Esta no es la dirección de una mesa. Añade una mesa en la página del anfitrión.`,
'sd60a7dde73859828': `Guardar`,
'sd8daaec3c20a386d': `la plantó un visitante`,
'sd99f82acbe5a90d8': str`Y ha pasado ${0} cosa más.`,
'sdb807f49a86b927f': `No hay ninguna sala con ese nombre.`,
'sddac88c3332a3667': `Única en su especie`,
'se244b12de4bc253b': `se está yendo`,
'se2f63fcf854bf554': str`${0} células`,
'se3258f292fd15dc1': `en reposo`,
'sea2ae67c61dea9aa': `reconectando`,
'sedb014886c00c32f': str`${0} célula`,
'seefb678fe6f067a5': `Injertar`,
'sefcf950b3cc4fc3b': `Idioma`,
'sf258fb79865d5ffc': str`${0} persona aquí`,
'sf49bba7358d0e156': `Dado`,
    };
  