
    // Do not modify this file by hand!
    // Re-generate this file by running lit-localize

    
    import {str} from '@lit/localize';

    /* eslint-disable no-irregular-whitespace */
    /* eslint-disable @typescript-eslint/no-explicit-any */

    export const templates = {
      's01914176b881a711': `Tag min sidste podning tilbage`,
's0310d39d85a9997c': `vågent`,
's113268220ddf9769': `Et barn af to`,
's13f466dc1200537b': str`Og der skete ${0} ting til.`,
's16cf597ade9000a5': `Scan koden, eller åbn linket, så gror det igen i din egen browser.`,
's19e076f6b42fb46d': `Denne browser kan ikke vise rummet: den mangler WebGL2. Prøv med en anden browser eller enhed.`,
's2132fcfde8c87c9e': `Gartneren`,
's24f15eba1c59a844': str`${0}, så ${1}`,
's25c392d3f36e4b1d': `heler`,
's2fba308b347e74d6': `Denne dag er forbi. Tak, og på gensyn.`,
's32a6858a3ed4ec44': str`${0} gammelt`,
's3356e9411925fa5c': `Værten har sat rummet på pause et øjeblik.`,
's3600f777e8710f6f': `plantet af gartneren`,
's37a9e8aec5713460': `Mere`,
's3fdc6453866ec7c0': `Rummet er fuldt. Du er den næste.`,
's414b64ab9605d344': `En skål med levende væsner. Rør ved den for at begynde.`,
's43b93cb842655fdb': `lige plantet`,
's46c862560a43c96e': str`Rummet er fuldt. ${0} gæster venter før dig.`,
's4c2251760c5d2c55': str`og ${0} til`,
's628f9d3415e052a8': `Huset`,
's66a916cde1017912': str`plantet af ${0}`,
's6b5808729ba28a3f': `navnløs`,
's704683c5958e9c5f': `plantet af huset`,
's7814bf80cd3885d3': `plantet af dig`,
's82147cb907e3d959': str`Rummet er fuldt. ${0} gæst venter før dig.`,
's822a12f086a7d91a': str`${0} sår helet`,
's83e48a0a8de13b83': `En anden skærm bruger dette bords adresse. Det kan kun én skærm.`,
's8c68bc0a1a65d461': `Et barn af tilfældet`,
's8e37a9023906283f': `og ét til`,
's9516ff545e1695cb': `ét sår helet`,
's97bbc8698f704ac9': `hviler, såret`,
'sa5bc226742558d67': `dødt`,
'sb5617c19799ea15c': `dig`,
'sb7ce768919359466': `vokser`,
'sb9b0683ed20fc0f9': `Rummet kan ikke nås lige nu. Vent et øjeblik.`,
'sba52dbfb8d3a60d7': `aldrig såret`,
'sc26501e3ade7da3c': `Redskaber`,
'sc3a4d3774733a9a0': `Skær`,
'sc7f1beea639774c7': `forbinder`,
'sc85f4dd5dc1537a6': str`${0} personer her`,
'sd49437faddc27406': `Dette er ikke adressen på et bord. Tilføj et bord på værtens side.`,
'sd60a7dde73859828': `Behold`,
'sd8daaec3c20a386d': `plantet af en gæst`,
'sd99f82acbe5a90d8': str`Og der skete ${0} ting til.`,
'sdb807f49a86b927f': `Der er ikke noget rum med det navn.`,
'sddac88c3332a3667': `Det eneste af sin slags`,
'se244b12de4bc253b': `er på vej væk`,
'se2f63fcf854bf554': str`${0} celler`,
'se3258f292fd15dc1': `hviler`,
'sea2ae67c61dea9aa': `forbinder igen`,
'sedb014886c00c32f': str`${0} celle`,
'seefb678fe6f067a5': `Pod`,
'sefcf950b3cc4fc3b': `Sprog`,
'sf258fb79865d5ffc': str`${0} person her`,
'sf49bba7358d0e156': `Terning`,
    };
  